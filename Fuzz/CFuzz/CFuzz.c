// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0
//
// A declaration needs no code; SwiftPM wants a file.
#include "CFuzz.h"
