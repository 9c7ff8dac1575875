"""What can be fetched, as rows with a price on this machine: catalogue and Hub, joined with the library and the fit."""
