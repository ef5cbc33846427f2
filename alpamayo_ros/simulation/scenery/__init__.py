"""What the cameras see: meshes, light, weather, the renderer."""
