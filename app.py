"""The Chalice application: it registers the blueprints, nothing else."""

import sys

from chalice.app import Chalice

from chalicelib.api import auth, images, local_store, uploads, web

app = Chalice(app_name="image-repo")
# Only forms come in as bytes; answers with pictures come from the store.
app.api.binary_types = ["multipart/form-data"]
for blueprint in (auth.blueprint, uploads.blueprint, images.blueprint, web.blueprint, local_store.blueprint):
    app.register_blueprint(blueprint)

if "chalice.local" in sys.modules:  # `chalice local` has loaded it; on Lambda it does not exist
    from chalicelib.local import server

    server.adapt()
