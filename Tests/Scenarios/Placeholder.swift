// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

// The tests that run the scenario files.
