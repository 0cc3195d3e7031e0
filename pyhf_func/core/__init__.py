"""The engine: pure JAX below the compiler. It knows nothing of files, workspaces or the documented API."""
