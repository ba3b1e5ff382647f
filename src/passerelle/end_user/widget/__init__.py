"""The widget: end users' pages inside an integrator's page, in a frame of our origin."""
