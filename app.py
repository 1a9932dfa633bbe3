"""The Chalice application: it registers the blueprints, nothing else."""

import sys
import threading

if threading.current_thread() is not threading.main_thread():
    # `chalice local` with autoreload: a new file in the checkout, such as bytecode, would restart the server.
    sys.dont_write_bytecode = True

from chalice.app import Chalice

from chalicelib import settings

try:
    wanted = settings.from_env()
except settings.SettingsError as problem:
    sys.stderr.write(f"{problem}\n")
    raise SystemExit(1) from None

from chalicelib import functions
from chalicelib.api import auth, head, images, middleware, uploads, web

app = Chalice(app_name="image-repo")
# Only forms come in as bytes; answers with pictures come from the store.
app.api.binary_types = ["multipart/form-data"]
for blueprint in (auth.blueprint, uploads.blueprint, images.blueprint, web.blueprint, functions.blueprint):
    app.register_blueprint(blueprint)
head.declare_heads(app)

app.register_middleware(middleware.refuse_strangers, "http")
app.register_middleware(middleware.allow_origin, "http")
if wanted.on_lambda:  # a laptop's server has a log of its own
    app.register_middleware(middleware.log_request, "http")
if "chalice.local" in sys.modules:  # `chalice local` has loaded it; on Lambda it does not exist
    from chalicelib.server import server

    server.adapt()
