# says: OSError
for number in range(1000):
    with open(f"full-{number}", "wb") as file:
        file.write(bytes(10_000_000))
