"""One pure builder per dataset, named after its layer and the table it checks."""
