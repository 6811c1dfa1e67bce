using LoadHarness.Agent.Measurement;
using LoadHarness.V1;

namespace LoadHarness.Agent.Transports;

/// <summary>How a connection failed.</summary>
/// <param name="Cause">What happened.</param>
/// <param name="Code">An errno, or what TLS says (see <see cref="Protos.FailureCode"/>); 0 when there is neither.</param>
public readonly record struct TransportFault(FailureCause Cause, int Code)
{
    /// <summary>The peer's FIN.</summary>
    public static readonly TransportFault Fin = new(FailureCause.Closed, 0);

    /// <summary>The peer's FIN without TLS's own end: what came before it may have been cut off (RFC 9112, 9.8).</summary>
    public static readonly TransportFault UncleanEnd = new(FailureCause.Closed, Protos.FailureCode.OfReason(294));

    /// <summary>No answer in time.</summary>
    public static readonly TransportFault TimedOut = new(FailureCause.Timeout, 0);

    /// <summary>Bytes came that nothing had asked for.</summary>
    public static readonly TransportFault Unasked = new(FailureCause.ProtocolError, Protos.FailureCode.OfResponse(Protos.ResponseFault.Unasked));

    /// <summary>Whether the socket itself has failed, or ended: an event tells of it too.</summary>
    public bool IsOfSocket => Code < Protos.FailureCode.First && Cause != FailureCause.Memory;

    /// <summary>A call on the socket failed; an errno of 0 is the peer's FIN.</summary>
    public static TransportFault OfErrno(int errno) => errno == 0 ? Fin : new(FailureClassifier.OfErrno(errno), errno);
}
