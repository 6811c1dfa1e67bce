using LoadHarness.Agent.Interop.Libc;
using LoadHarness.V1;

namespace LoadHarness.Agent.Measurement;

/// <summary>Names the party and the cause behind an errno.</summary>
public static class FailureClassifier
{
    /// <summary>The cause of a failed bind(2) with an explicit address and port.</summary>
    public static FailureCause OfBind(int errno) => errno switch
    {
        Errno.EADDRINUSE => FailureCause.PortInUse,
        Errno.EADDRNOTAVAIL => FailureCause.AddressGone,
        _ => OfErrno(errno),
    };

    /// <summary>The cause of a failed connect(2), at once or later through SO_ERROR.</summary>
    public static FailureCause OfConnect(int errno) => errno switch
    {
        Errno.EADDRNOTAVAIL => FailureCause.TupleInUse,
        Errno.EADDRINUSE => FailureCause.TupleInUse,
        _ => OfErrno(errno),
    };

    /// <summary>The cause of any other failed call on a socket.</summary>
    public static FailureCause OfErrno(int errno) => errno switch
    {
        Errno.EMFILE or Errno.ENFILE => FailureCause.Descriptors,
        // ENOSPC is epoll's: fs.epoll.max_user_watches.
        Errno.ENOBUFS or Errno.ENOMEM or Errno.ENOSPC => FailureCause.Memory,
        Errno.EPERM or Errno.EACCES => FailureCause.Firewall,
        Errno.ETIMEDOUT => FailureCause.Timeout,
        Errno.EHOSTUNREACH or Errno.ENETUNREACH or Errno.ENETDOWN or Errno.EHOSTDOWN => FailureCause.Unreachable,
        Errno.ECONNREFUSED => FailureCause.Refused,
        Errno.ECONNRESET or Errno.EPIPE => FailureCause.Reset,
        Errno.EPROTO => FailureCause.ProtocolError,
        _ => FailureCause.Other,
    };

    /// <summary>Who a cause belongs to: this host, the network, or the target.</summary>
    public static FailureParty PartyOf(FailureCause cause) => cause switch
    {
        FailureCause.Descriptors or FailureCause.PortInUse or FailureCause.TupleInUse or FailureCause.AddressGone
            or FailureCause.EndpointSpaceExhausted or FailureCause.Memory or FailureCause.Firewall or FailureCause.NotAllowed
            or FailureCause.CutOff or FailureCause.Other => FailureParty.Us,
        FailureCause.Timeout or FailureCause.Unreachable => FailureParty.Network,
        FailureCause.Refused or FailureCause.Reset or FailureCause.Closed or FailureCause.ProtocolError
            or FailureCause.Certificate or FailureCause.Alert or FailureCause.UnexpectedStatus => FailureParty.Target,
        _ => FailureParty.Unspecified,
    };
}
