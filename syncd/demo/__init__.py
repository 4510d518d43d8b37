"""Three platforms on loopback, and the story that `syncd demo` tells with them."""
