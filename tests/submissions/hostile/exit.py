# says: ended its own process
import os

os._exit(0)
