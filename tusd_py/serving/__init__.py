"""Our own way of serving: uvicorn with a protocol class that knows uploads."""
