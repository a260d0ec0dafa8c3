"""The ground floor: dtypes, shapes and error classes. Imports nothing else of minitf."""
