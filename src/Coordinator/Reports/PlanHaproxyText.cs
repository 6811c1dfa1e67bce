using LoadHarness.Coordinator.Planning.Capacity;
using LoadHarness.Coordinator.Specs;
using static LoadHarness.Coordinator.Reports.QuantityWords;

namespace LoadHarness.Coordinator.Reports;

/// <summary>What an HAProxy under test would take, in lines for people.</summary>
internal static class PlanHaproxyText
{
    public static void Add(HaproxyEstimate estimate, LabelledLines lines)
    {
        lines.Add("HAProxy", "estimates, if the target is one that passes every connection on to a server:");
        lines.Add("  mode tcp", $"{SizeText.Format(estimate.KernelBytes + estimate.TcpBytes)}: kernel {SizeText.Format(estimate.KernelBytes)} (two sockets), "
            + $"itself {SizeText.Format(estimate.TcpBytes)} (3.4 KB an idle connection, measured with 2.6)");
        lines.Add("  TLS", $"{SizeText.Format(estimate.KernelBytes + estimate.TcpBytes + estimate.TlsBytes)}: {SizeText.Format(estimate.TlsBytes)} more "
            + "(16 KB a session, and 76 KB for each handshake under way: its own SSL_SESSION_MAX_COST and SSL_HANDSHAKE_MAX_COST)");
        lines.Add("  busy", $"up to {SizeText.Format(estimate.BufferBytes)} more while data waits (2 x tune.bufsize of 16 KB)");
        lines.Add("  limits", $"{estimate.Descriptors:N0} descriptors (two each; RLIMIT_NOFILE binds per process); behind it "
            + $"{Number(estimate.ServerPairs, "server address and port pair")}: there it is a client with 28,232 ports for each");
    }
}
