// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// How many connections a process can hold open.
enum DescriptorLimit {
    /// Raises the limit to what the system allows at most. Shells hand down 1024 for the sake of programs that use
    /// `select`; a server that keeps it runs out of descriptors long before anything else.
    static func raise() {
        var limit = rlimit()
        #if canImport(Glibc)
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        #else
        let resource = RLIMIT_NOFILE
        #endif
        guard getrlimit(resource, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
        limit.rlim_cur = limit.rlim_max
        // Where it cannot be raised the process works as far as it goes.
        _ = setrlimit(resource, &limit)
    }
}
