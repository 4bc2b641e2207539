// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0
print("fixture")
