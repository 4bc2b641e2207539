// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// One request ends with RST_STREAM, and the connection goes on.
package struct ResetStreamToxic: Hashable, Sendable {
    /// Where in the exchange.
    package enum Stage: String, Hashable, Sendable, CaseIterable {
        /// The server never gets the request.
        case request
        /// The server has got it, and its answer is lost.
        case answer
        /// The head of the answer passes, its body is lost. An answer without a body is lost as a whole.
        case body
    }

    package var code: HTTP2ErrorNumber
    package var stage: Stage

    /// - Parameter stage: nil: where a server that means this code would be. REFUSED_STREAM says that nothing was done
    ///   (RFC 9113 section 8.7), so such a request must not reach the server.
    package init(code: HTTP2ErrorNumber, stage: Stage? = nil) {
        self.code = code
        self.stage = stage ?? (code == .refusedStream ? .request : .answer)
    }

    package var phrase: String {
        switch stage {
        case .request: "RST_STREAM \(code.text) in the place of the mock"
        case .answer: "RST_STREAM \(code.text) in the place of the answer"
        case .body: "RST_STREAM \(code.text) in the place of the body"
        }
    }
}

package struct ResetStreamMachine: FrameToxic {
    private let settings: ResetStreamToxic

    package init(_ settings: ResetStreamToxic) { self.settings = settings }

    package mutating func see(_ event: FrameEvent, at now: NIODeadline) -> [FrameOrder] {
        let isHere =
            switch (event, settings.stage) {
            case (.request, .request), (.answer, .answer), (.answer(isWhole: true), .body), (.body, .body): true
            default: false
            }
        return isHere ? [.reset(settings.code)] : []
    }
}
