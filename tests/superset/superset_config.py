"""Superset's settings for the tests: on this machine alone, without Redis, Celery or telemetry."""

import os

SECRET_KEY = os.environ["TIERWISE_SUPERSET_SECRET_KEY"]
SQLALCHEMY_DATABASE_URI = os.environ["TIERWISE_SUPERSET_METADATA"]
WTF_CSRF_ENABLED = False
RATELIMIT_ENABLED = False
# Superset's pages carry a counting pixel of a third party; the browser may not ask for it.
TALISMAN_CONFIG = {
    "content_security_policy": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "blob:", "data:"],
        "worker-src": ["'self'", "blob:"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "script-src": ["'self'", "'strict-dynamic'"],
    },
    "content_security_policy_nonce_in": ["script-src"],
    "force_https": False,
    "session_cookie_secure": False,
}
