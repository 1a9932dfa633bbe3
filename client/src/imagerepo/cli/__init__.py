"""The command `imagerepo`: reads arguments, drives the package above, and speaks on standard output and error."""
