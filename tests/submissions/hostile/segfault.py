# says: ended its own process
import ctypes

ctypes.string_at(0)
