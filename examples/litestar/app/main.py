from litestar import Litestar

from . import database, uploads, users

app = Litestar(
    route_handlers=[users.sign_up, users.sign_in, uploads.list_files, uploads.uploads],
    dependencies={"session": database.provide_session},
    on_app_init=[users.jwt_auth.on_app_init],
    lifespan=[database.lifespan, uploads.tus.lifespan],
)
