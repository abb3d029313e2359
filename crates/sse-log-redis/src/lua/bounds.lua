-- Returns the bounds.
return checked_bounds()
