using System.Reflection;
using System.Runtime.InteropServices;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.Interop.Netlink;
using LoadHarness.TestKit.Processes;

namespace LoadHarness.Agent.Tests.Interop;

/// <summary>What the agent believes about the C library and the kernel, held against their headers: a C program is compiled and asked.</summary>
public sealed class NativeLayoutTests
{
    private const BindingFlags Any = BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

    private const string Headers = """
        #define _GNU_SOURCE
        #include <errno.h>
        #include <fcntl.h>
        #include <linux/close_range.h>
        #include <linux/inet_diag.h>
        #include <linux/netlink.h>
        #include <linux/sock_diag.h>
        #include <netinet/in.h>
        #include <netinet/tcp.h>
        #include <poll.h>
        #include <signal.h>
        #include <stddef.h>
        #include <stdio.h>
        #include <sys/epoll.h>
        #include <sys/eventfd.h>
        #include <sys/mman.h>
        #include <sys/prctl.h>
        #include <sys/resource.h>
        #include <sys/socket.h>
        #include <time.h>
        #ifndef SO_NETNS_COOKIE
        #define SO_NETNS_COOKIE 71 /* since 5.14; the headers may be older than the kernel */
        #endif
        """;

    /// <summary>Constants: where the agent has them, and what C calls them.</summary>
    private static readonly (Type Owner, string Name, string C)[] _constants =
    [
        (typeof(Epoll), nameof(Epoll.In), "EPOLLIN"),
        (typeof(Epoll), nameof(Epoll.Out), "EPOLLOUT"),
        (typeof(Epoll), nameof(Epoll.Error), "EPOLLERR"),
        (typeof(Epoll), nameof(Epoll.HangUp), "EPOLLHUP"),
        (typeof(Epoll), nameof(Epoll.ReadHangUp), "EPOLLRDHUP"),
        (typeof(Epoll), nameof(Epoll.Exclusive), "EPOLLEXCLUSIVE"),
        (typeof(Epoll), nameof(Epoll.EdgeTriggered), "EPOLLET"),
        (typeof(Epoll), "CloseOnExec", "EPOLL_CLOEXEC"),
        (typeof(Epoll), "CtlAdd", "EPOLL_CTL_ADD"),
        (typeof(Epoll), "CtlDelete", "EPOLL_CTL_DEL"),
        (typeof(Epoll), "CtlModify", "EPOLL_CTL_MOD"),
        (typeof(EventFd), "NonBlock", "EFD_NONBLOCK"),
        (typeof(EventFd), "CloseOnExec", "EFD_CLOEXEC"),
        (typeof(EventFd), "Semaphore", "EFD_SEMAPHORE"),
        (typeof(EventFd), "PollIn", "POLLIN"),
        (typeof(Sockets), "SockStream", "SOCK_STREAM"),
        (typeof(Sockets), "SockNonBlock", "SOCK_NONBLOCK"),
        (typeof(Sockets), "SockCloseOnExec", "SOCK_CLOEXEC"),
        (typeof(Sockets), "SolSocket", "SOL_SOCKET"),
        (typeof(Sockets), "SoReuseAddr", "SO_REUSEADDR"),
        (typeof(Sockets), "SoType", "SO_TYPE"),
        (typeof(Sockets), "SoError", "SO_ERROR"),
        (typeof(Sockets), "SoLinger", "SO_LINGER"),
        (typeof(Sockets), "IpProtoTcp", "IPPROTO_TCP"),
        (typeof(Sockets), "TcpNoDelay", "TCP_NODELAY"),
        (typeof(Sockets), "IpProtoIp", "IPPROTO_IP"),
        (typeof(Sockets), "IpBindAddressNoPort", "IP_BIND_ADDRESS_NO_PORT"),
        (typeof(Sockets), "IpProtoIpv6", "IPPROTO_IPV6"),
        (typeof(Sockets), "Ipv6Only", "IPV6_V6ONLY"),
        (typeof(Sockets), "ShutRd", "SHUT_RD"),
        (typeof(Sockets), "ShutWr", "SHUT_WR"),
        (typeof(Sockets), "DuplicateCloseOnExec", "F_DUPFD_CLOEXEC"),
        (typeof(Sockets), "MsgDontWait", "MSG_DONTWAIT"),
        (typeof(Sockets), "MsgTrunc", "MSG_TRUNC"),
        (typeof(Sockets), "MsgNoSignal", "MSG_NOSIGNAL"),
        (typeof(SocketAddress), nameof(SocketAddress.AfInet), "AF_INET"),
        (typeof(SocketAddress), nameof(SocketAddress.AfInet6), "AF_INET6"),
        (typeof(SocketAddress), "LengthV4", "sizeof(struct sockaddr_in)"),
        (typeof(SocketAddress), "LengthV6", "sizeof(struct sockaddr_in6)"),
        (typeof(DescriptorTable), "CloseRangeUnshare", "CLOSE_RANGE_UNSHARE"),
        (typeof(Clock), "ClockMonotonic", "CLOCK_MONOTONIC"),
        (typeof(Clock), "ClockThreadCpuTime", "CLOCK_THREAD_CPUTIME_ID"),
        (typeof(Clock), "ClockBoottime", "CLOCK_BOOTTIME"),
        (typeof(Memory), "ProtReadWrite", "PROT_READ | PROT_WRITE"),
        (typeof(Memory), "MapPrivateAnonymousNoReserve", "MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE"),
        (typeof(ResourceUsage), "RusageSelf", "RUSAGE_SELF"),
        (typeof(ResourceUsage), "RlimitNofile", "RLIMIT_NOFILE"),
        (typeof(SignalMask), "SigBlock", "SIG_BLOCK"),
        (typeof(ParentProcess), "PrSetPdeathsig", "PR_SET_PDEATHSIG"),
        (typeof(ParentProcess), "SigKill", "SIGKILL"),
        (typeof(NetworkNamespace), "SolSocket", "SOL_SOCKET"),
        (typeof(NetworkNamespace), "SoNetnsCookie", "SO_NETNS_COOKIE"),
        (typeof(NetlinkSocket), "AfNetlink", "AF_NETLINK"),
        (typeof(NetlinkSocket), "SockRaw", "SOCK_RAW"),
        (typeof(NetlinkSocket), "SockCloexec", "SOCK_CLOEXEC"),
        (typeof(NetlinkSocket), "NetlinkSockDiag", "NETLINK_SOCK_DIAG"),
        (typeof(NetlinkSocket), "SolSocket", "SOL_SOCKET"),
        (typeof(NetlinkSocket), "SoRcvbuf", "SO_RCVBUF"),
        (typeof(NetlinkSocket), "SoRcvtimeo", "SO_RCVTIMEO"),
        (typeof(SockDiagDump), "TcpDiagGetSock", "TCPDIAG_GETSOCK"),
        (typeof(SockDiagDump), "StatesOffset", "offsetof(struct inet_diag_req, idiag_states)"),
        (typeof(SockDiagDump), "NlmsgDone", "NLMSG_DONE"),
        (typeof(SockDiagDump), "NlmsgError", "NLMSG_ERROR"),
        (typeof(SockDiagDump), "FlagDumpInterrupted", "NLM_F_DUMP_INTR"),
        (typeof(SockDiagDump), "FlagsDumpRequest", "NLM_F_REQUEST | NLM_F_DUMP"),
        (typeof(SockDiagDump), "RequestBytes", "sizeof(struct inet_diag_req)"),
        (typeof(SockDiagDump), "InetDiagReqBytecode", "INET_DIAG_REQ_BYTECODE"),
        (typeof(SockDiagDump), "AttributeHeaderBytes", "sizeof(struct nlattr)"),
        (typeof(SockDiagDump), "HeaderBytes", "sizeof(struct nlmsghdr)"),
        (typeof(InetDiagMessage), "ByteSize", "sizeof(struct inet_diag_msg)"),
    ];

    /// <summary>Sizes and offsets of structures.</summary>
    private static readonly (string What, long Ours, string C)[] _layouts =
    [
        ("EpollEvents.Size", EpollEvents.Size, "sizeof(struct epoll_event)"),
        ("offset of epoll_event.data", (int)Field(typeof(EpollEvents), "_dataOffset").GetValue(null)!, "offsetof(struct epoll_event, data)"),
        ("size of EventFd.PollFd", SizeOf(typeof(EventFd), "PollFd"), "sizeof(struct pollfd)"),
        ("offset of pollfd.events", OffsetOf(typeof(EventFd), "PollFd", "Events"), "offsetof(struct pollfd, events)"),
        ("size of Clock.Timespec", SizeOf(typeof(Clock), "Timespec"), "sizeof(struct timespec)"),
        ("offset of timespec.tv_nsec", OffsetOf(typeof(Clock), "Timespec", "Nanos"), "offsetof(struct timespec, tv_nsec)"),
        ("bytes of getrusage's buffer", 18 * sizeof(long), "sizeof(struct rusage)"),
        ("offset of rusage.ru_stime", 2 * sizeof(long), "offsetof(struct rusage, ru_stime)"),
        ("bytes of getrlimit's buffer", 2 * sizeof(ulong), "sizeof(struct rlimit)"),
        ("offset of rlimit.rlim_max", sizeof(ulong), "offsetof(struct rlimit, rlim_max)"),
        ("bytes of a signal set", (int)Field(typeof(SignalMask), "SetWords").GetRawConstantValue()! * sizeof(ulong), "sizeof(sigset_t)"),
        ("size of SignalMask.TimeSpec", SizeOf(typeof(SignalMask), "TimeSpec"), "sizeof(struct timespec)"),
        ("bytes of SO_LINGER", 2 * sizeof(int), "sizeof(struct linger)"),
        ("offset of linger.l_linger", sizeof(int), "offsetof(struct linger, l_linger)"),
        ("offset of sockaddr_in.sin_port", 2, "offsetof(struct sockaddr_in, sin_port)"),
        ("offset of sockaddr_in.sin_addr", 4, "offsetof(struct sockaddr_in, sin_addr)"),
        ("offset of sockaddr_in6.sin6_port", 2, "offsetof(struct sockaddr_in6, sin6_port)"),
        ("offset of sockaddr_in6.sin6_addr", 8, "offsetof(struct sockaddr_in6, sin6_addr)"),
    ];

    [Test]
    public void ConstantsAndLayouts_HeldAgainstTheHeaders_AreTheSame()
    {
        var errnos = typeof(Errno).GetFields(Any).Select(f => (Owner: typeof(Errno), f.Name, C: f.Name));
        var ours = _constants.Concat(errnos).Select(c => ($"{c.Owner.Name}.{c.Name}", Ours: Convert.ToInt64(Field(c.Owner, c.Name).GetRawConstantValue()), c.C))
            .Concat(_layouts)
            .ToArray();

        var theirs = AskC([.. ours.Select(o => o.C)]);

        Assert.That(
            ours.Zip(theirs).Where(pair => pair.First.Ours != pair.Second).Select(p => $"{p.First.Item1} is {p.First.Ours}, {p.First.C} is {p.Second}"),
            Is.Empty);
    }

    [Test]
    public void SynchronousSignals_HeldAgainstTheHeaders_AreThoseThatAThreadRaisesItself() =>
        Assert.That(
            (int[])Field(typeof(SignalMask), "_synchronous").GetValue(null)!,
            Is.EquivalentTo(AskC("SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGSEGV", "SIGSYS")));

    private static FieldInfo Field(Type owner, string name) =>
        owner.GetField(name, Any) ?? throw new MissingFieldException($"{owner.Name}.{name}: this test names what is not there any more");

    private static Type Nested(Type owner, string name) =>
        owner.GetNestedType(name, Any) ?? throw new TypeLoadException($"{owner.Name}.{name}: this test names what is not there any more");

    private static long SizeOf(Type owner, string name) => Marshal.SizeOf(Nested(owner, name));

    private static long OffsetOf(Type owner, string name, string field) => (long)Marshal.OffsetOf(Nested(owner, name), field);

    private static long[] AskC(params string[] expressions)
    {
        var directory = Directory.CreateTempSubdirectory("loadharness-layout-");
        try
        {
            var (source, program) = (Path.Combine(directory.FullName, "layout.c"), Path.Combine(directory.FullName, "layout"));
            var lines = expressions.Select(e => $"    printf(\"%lld\\n\", (long long)({e}));");
            File.WriteAllText(source, $"{Headers}\nint main(void)\n{{\n{string.Join('\n', lines)}\n    return 0;\n}}\n");
            Command.Run("sh", "-c", "cc=$(command -v cc || command -v gcc || command -v clang) && exec $cc -w -o \"$0\" \"$1\"", program, source);
            return [.. Command.Run(program).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(long.Parse)];
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }
}
