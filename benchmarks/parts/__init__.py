"""What the scripts beside this folder measure, one subject a module."""
