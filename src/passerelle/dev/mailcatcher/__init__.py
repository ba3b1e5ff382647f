"""The mail catcher of `passerelle dev`: takes every message, sends none on, and shows them at `/dev/mail`."""
