"""What runs: settings, the services and how they hold together, the HTTP application, the processes."""
