//! How each store is opened, and its engine started: the same few lines in each file.
