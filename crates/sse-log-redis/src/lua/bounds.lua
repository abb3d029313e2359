return bounds()
