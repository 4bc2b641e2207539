// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

// The C library's functions under names of our own, so that the platform is named in one file.

package func logarithm(_ x: Double) -> Double { log(x) }
package func cosine(_ x: Double) -> Double { cos(x) }
package func exponential(_ x: Double) -> Double { exp(x) }
package func power(_ x: Double, _ y: Double) -> Double { pow(x, y) }
package func powerOfTen(_ x: Double) -> Double { pow(10, x) }
package func logarithmToBaseTen(_ x: Double) -> Double { log10(x) }
package func errorFunctionComplement(_ x: Double) -> Double { erfc(x) }
