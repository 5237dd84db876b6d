# says: was still running when its time was up
while True:
    pass
