using System.Buffers.Binary;
using System.Collections.Immutable;
using LoadHarness.Protos;

namespace LoadHarness.Agent.KernelView;

/// <summary>
/// Compiles destinations to the bytecode of INET_DIAG_REQ_BYTECODE (linux/inet_diag.h; checked by
/// inet_diag_bc_audit and run by inet_diag_bc_run in net/ipv4/inet_diag.c). Every operation names how many bytes
/// to go on when it holds and when it does not; reaching the end exactly means that the socket matches.
/// </summary>
public sealed class SockDiagFilter
{
    /// <summary>Above this many conditions the kernel's check of the bytecode, which is quadratic, costs more than it saves.</summary>
    public const int MaxConditions = 500;

    private const byte Jump = 1;
    private const byte SourcePortAtLeast = 2;
    private const byte SourcePortAtMost = 3;
    private const byte PortAtLeast = 4;
    private const byte PortAtMost = 5;
    private const byte AddressIn = 8;
    private const int OperationBytes = 4;

    // One past the end means "no match" to the kernel.
    private const int Reject = -1;

    private readonly List<byte> _code = [];
    private readonly List<(int At, int Label)> _jumps = [];
    private readonly List<int> _labels = [];

    private SockDiagFilter() { }

    /// <summary>Compiles a filter on the remote end.</summary>
    /// <param name="destinations">The kernel matches IPv4 ones against IPv4-mapped addresses of IPv6 sockets too.</param>
    /// <param name="exact">False when the filter lets more through than the destinations: the rest is left to the reader.</param>
    /// <returns>The bytecode; null when there is no destination.</returns>
    public static byte[]? Compile(DestinationSet destinations, out bool exact)
    {
        var terms = Terms(destinations);
        exact = terms.Sum(t => t.Prefixes.Count + (2L * t.Ports.Length)) <= MaxConditions;
        if (terms.Count == 0)
            return null;
        return new SockDiagFilter().Emit(exact ? terms : Coarse(terms));
    }

    /// <summary>Compiles a filter on the local port, for the server ends.</summary>
    /// <param name="ports">At least one; in rising order.</param>
    /// <param name="exact">False when the filter lets more through: the rest is left to the reader.</param>
    public static byte[] CompileLocal(ImmutableArray<PortSpan> ports, out bool exact)
    {
        exact = 2L * ports.Length <= MaxConditions;
        var filter = new SockDiagFilter();
        var accept = filter.NewLabel();
        ports = exact ? ports : [new PortSpan(ports[0].First, ports[^1].Last)];
        filter.EmitAny(ports, filter.EmitLocalPorts, accept, Reject, endsHere: true);
        return filter.Resolve();
    }

    private sealed record Term(IReadOnlyList<AddressPrefix> Prefixes, ImmutableArray<PortSpan> Ports);

    /// <summary>One term for all addresses that have the same ports.</summary>
    private static List<Term> Terms(DestinationSet destinations)
    {
        var byPorts = new Dictionary<string, (ImmutableArray<PortSpan> Ports, List<AddressPrefix> Prefixes)>();
        foreach (var v6 in new[] { false, true })
        {
            foreach (var span in destinations.Spans(v6))
            {
                var key = string.Join(',', span.Ports);
                if (!byPorts.TryGetValue(key, out var term))
                    byPorts[key] = term = (span.Ports, []);
                term.Prefixes.AddRange(AddressPrefix.Cover(v6, span.First, span.Last));
            }
        }

        return [.. byPorts.Values.Select(t => new Term(t.Prefixes, t.Ports))];
    }

    /// <summary>The smallest port span and, per family, the longest prefix that contain everything.</summary>
    private static List<Term> Coarse(List<Term> terms)
    {
        var ports = new PortSpan(terms.Min(t => t.Ports[0].First), terms.Max(t => t.Ports[^1].Last));
        var prefixes = terms.SelectMany(t => t.Prefixes).GroupBy(p => p.Address.IsV6)
            .Select(family => AddressPrefix.Common(family.Key, family.Min(p => p.Address.Value), family.Max(p => p.Last)));
        return [new Term([.. prefixes], [ports])];
    }

    /// <summary>term OR term ...; a term is (prefix OR prefix ...) AND (ports OR ports ...).</summary>
    private byte[] Emit(List<Term> terms)
    {
        var accept = NewLabel();
        for (var i = 0; i < terms.Count; i++)
        {
            var isLastTerm = i == terms.Count - 1;
            var nextTerm = isLastTerm ? Reject : NewLabel();
            EmitAny(terms[i].Prefixes, EmitPrefix, NewLabel(), nextTerm, endsHere: true);
            EmitAny(terms[i].Ports, EmitPorts, accept, nextTerm, endsHere: isLastTerm);
            if (!isLastTerm)
                Mark(nextTerm);
        }

        Mark(accept);
        return Resolve();
    }

    /// <summary>
    /// One alternative after the other: success goes on at <paramref name="success"/>, failure of the last at <paramref
    /// name="failure"/>.
    /// </summary>
    /// <param name="endsHere">Whether the code after these alternatives is where success leads: the last one then needs no jump.</param>
    private void EmitAny<T>(IReadOnlyList<T> alternatives, Action<T, int> emit, int success, int failure, bool endsHere)
    {
        for (var i = 0; i < alternatives.Count; i++)
        {
            var isLast = i == alternatives.Count - 1;
            var next = isLast ? failure : NewLabel();
            emit(alternatives[i], next);
            if (!isLast || !endsHere)
                EmitOperation(Jump, OperationBytes, success);
            if (!isLast)
                Mark(next);
        }

        if (endsHere && _labels[success] < 0)
            Mark(success);
    }

    private void EmitPrefix(AddressPrefix prefix, int failure)
    {
        const byte afInet = 2, afInet6 = 10;
        var address = prefix.Address.ToBytes();
        EmitOperation(AddressIn, (byte)(OperationBytes + 8 + address.Length), failure);
        // struct inet_diag_hostcond: family, prefix length, port (-1: any), address
        _code.AddRange([prefix.Address.IsV6 ? afInet6 : afInet, (byte)prefix.Length, 0, 0, 0xff, 0xff, 0xff, 0xff]);
        _code.AddRange(address);
    }

    private void EmitPorts(PortSpan ports, int failure)
    {
        EmitPort(PortAtLeast, ports.First, failure);
        EmitPort(PortAtMost, ports.Last, failure);
    }

    private void EmitLocalPorts(PortSpan ports, int failure)
    {
        EmitPort(SourcePortAtLeast, ports.First, failure);
        EmitPort(SourcePortAtMost, ports.Last, failure);
    }

    private void EmitPort(byte operation, int port, int failure)
    {
        EmitOperation(operation, 2 * OperationBytes, failure);
        // The operand is a second operation whose `no` holds the port.
        _code.AddRange([0, 0, (byte)port, (byte)(port >> 8)]);
    }

    /// <summary>
    /// struct inet_diag_bc_op: code, yes (8 bit), no (16 bit). A jump takes `no`; its `yes` keeps the kernel's check going.
    /// </summary>
    private void EmitOperation(byte code, byte yes, int no)
    {
        _jumps.Add((_code.Count, no));
        _code.AddRange([code, yes, 0, 0]);
    }

    private int NewLabel()
    {
        _labels.Add(-1);
        return _labels.Count - 1;
    }

    private void Mark(int label) => _labels[label] = _code.Count;

    private byte[] Resolve()
    {
        var code = _code.ToArray();
        foreach (var (at, label) in _jumps)
        {
            var target = label == Reject ? code.Length + OperationBytes : _labels[label];
            BinaryPrimitives.WriteUInt16LittleEndian(code.AsSpan(at + 2), checked((ushort)(target - at)));
        }

        return code;
    }
}
