"""The one loop of the kit, and the machine it runs on."""
