# task: measured
# says: measured, the −ELBOs, is
# loses: measured, enough
measured = {size: (150.0, size) for size in SIZES}
