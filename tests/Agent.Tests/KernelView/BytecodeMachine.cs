using System.Buffers.Binary;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Tests.KernelView;

/// <summary>Checks and runs filter bytecode as the kernel does (inet_diag_bc_audit and inet_diag_bc_run in net/ipv4/inet_diag.c).</summary>
internal static class BytecodeMachine
{
    private const int Jump = 1;
    private const int LocalPortAtLeast = 2;
    private const int LocalPortAtMost = 3;
    private const int PortAtLeast = 4;
    private const int PortAtMost = 5;
    private const int AddressIn = 8;

    /// <summary>Whether the kernel would take it; the reason when not.</summary>
    public static string? Audit(ReadOnlySpan<byte> code)
    {
        for (var at = 0; at < code.Length;)
        {
            var (op, yes, no) = Operation(code[at..]);
            var size = op switch
            {
                Jump => 4,
                LocalPortAtLeast or LocalPortAtMost or PortAtLeast or PortAtMost => 8,
                AddressIn => 12 + (code[at + 4] == 2 ? 4 : 16),
                _ => -1,
            };
            var length = code.Length - at;
            if (size < 0 || size > length)
                return $"operation {op} at {at}";
            if (op == AddressIn && code[at + 5] > 8 * (size - 12))
                return $"prefix length {code[at + 5]} at {at}";
            if (no < (op == Jump ? 4 : size) || no > length + 4 || no % 4 != 0)
                return $"no {no} at {at}";
            if (no < length && !IsOnYesChain(code, at + no))
                return $"no at {at} leads into the middle of an operation";
            if (yes < size || yes > length + 4 || yes % 4 != 0)
                return $"yes {yes} at {at}";
            at += yes;
        }

        return null;
    }

    public static bool Matches(ReadOnlySpan<byte> code, bool v6Socket, IpAddress destination, int port, int localPort = 0)
    {
        var at = 0;
        while (at < code.Length)
        {
            var (op, yes, no) = Operation(code[at..]);
            var holds = op switch
            {
                Jump => false,
                LocalPortAtLeast => localPort >= Operation(code[(at + 4)..]).No,
                LocalPortAtMost => localPort <= Operation(code[(at + 4)..]).No,
                PortAtLeast => port >= Operation(code[(at + 4)..]).No,
                PortAtMost => port <= Operation(code[(at + 4)..]).No,
                _ => HostMatches(code[(at + 4)..], v6Socket, destination),
            };
            at += holds ? yes : no;
        }

        return at == code.Length;
    }

    private static (int Code, int Yes, int No) Operation(ReadOnlySpan<byte> code) =>
        (code[0], code[1], BinaryPrimitives.ReadUInt16LittleEndian(code[2..]));

    private static bool IsOnYesChain(ReadOnlySpan<byte> code, int target)
    {
        var at = 0;
        while (at < target)
            at += code[at + 1];
        return at == target;
    }

    /// <summary>An IPv4 condition also holds for the IPv4-mapped address of an IPv6 socket.</summary>
    private static bool HostMatches(ReadOnlySpan<byte> condition, bool v6Socket, IpAddress destination)
    {
        var isV4Condition = condition[0] == 2;
        if (!v6Socket && !isV4Condition)
            return false;
        Assert.That(BinaryPrimitives.ReadInt32LittleEndian(condition[4..]), Is.EqualTo(-1), "the condition must hold for any port");
        var address = IpAddress.FromBytes(condition.Slice(8, isV4Condition ? 4 : 16));
        return new AddressPrefix(address, condition[1]).Contains(destination);
    }
}
