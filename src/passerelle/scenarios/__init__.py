"""`passerelle test`: definitions run against scenarios written beside them, without network and database."""
