print("gatecrash")
