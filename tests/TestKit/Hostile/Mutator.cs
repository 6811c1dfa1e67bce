using System.Collections;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace LoadHarness.TestKit.Hostile;

/// <summary>
/// Spoils sound messages as a hostile or broken peer would: most at the level of fields (other values, fields taken out or doubled, repeated
/// ones repeated very often), some at the level of bytes. The same seed spoils in the same way.
/// </summary>
public sealed class Mutator(int seed)
{
    private const int DeepestField = 12;
    private const int MostRepeats = 2000;

    private readonly Random _random = new(seed);

    private static readonly ulong[] _edges =
    [
        0, 1, 2, 255, 256, 65_535, 65_536, int.MaxValue, 1UL << 31, uint.MaxValue, 1UL << 32, 1UL << 48, (1UL << 48) + 1, long.MaxValue, 1UL << 63, ulong.MaxValue,
    ];

    private static readonly double[] _numbers =
        [0, -1, 0.5, 1, 1e9, double.Epsilon, double.MaxValue, double.MinValue, double.NaN, double.PositiveInfinity, double.NegativeInfinity];

    /// <summary>One of a hundred messages or so is spoilt at the level of bytes.</summary>
    public double BytesShare { get; init; } = 0.01;

    /// <summary>A spoilt copy of a message, on the wire.</summary>
    public byte[] Spoil<T>(T sound)
        where T : IMessage<T>, IDeepCloneable<T>
    {
        var copy = sound.Clone();
        for (var changes = 1 + _random.Next(3); changes > 0; changes--)
            SpoilField(copy, 0);
        var bytes = copy.ToByteArray();
        return _random.NextDouble() < BytesShare ? SpoilBytes(bytes) : bytes;
    }

    private void SpoilField(IMessage message, int depth)
    {
        var fields = message.Descriptor.Fields.InDeclarationOrder();
        if (fields.Count == 0)
            return;
        var field = fields[_random.Next(fields.Count)];
        // Down into what is there rather than staying at the top: most of a contract is deep inside.
        if (depth < DeepestField && _random.Next(4) != 0 && ChildOf(message, field) is { } child)
        {
            SpoilField(child, depth + 1);
            return;
        }

        if (field.IsMap)
            SpoilMap((IDictionary)field.Accessor.GetValue(message), field);
        else if (field.IsRepeated)
            SpoilList((IList)field.Accessor.GetValue(message), field);
        else if (_random.Next(5) == 0)
            field.Accessor.Clear(message);
        else
            field.Accessor.SetValue(message, ValueOf(field, depth));
    }

    private IMessage? ChildOf(IMessage message, FieldDescriptor field)
    {
        if (field.FieldType != FieldType.Message || field.IsMap)
            return null;
        if (!field.IsRepeated)
            return (IMessage?)field.Accessor.GetValue(message);
        var list = (IList)field.Accessor.GetValue(message);
        return list.Count == 0 ? null : (IMessage?)list[_random.Next(list.Count)];
    }

    private void SpoilList(IList list, FieldDescriptor field)
    {
        switch (_random.Next(4))
        {
            case 0:
                list.Clear();
                break;
            case 1 when list.Count > 0:
                list.RemoveAt(_random.Next(list.Count));
                break;
            case 2 when list.Count > 0:
                var again = list[_random.Next(list.Count)];
                for (var left = _random.Next(10) == 0 ? MostRepeats : 1 + _random.Next(3); left > 0; left--)
                    list.Add(again);
                break;
            default:
                list.Add(ValueOf(field, 0));
                break;
        }
    }

    private void SpoilMap(IDictionary map, FieldDescriptor field)
    {
        var (key, value) = (field.MessageType.FindFieldByNumber(1), field.MessageType.FindFieldByNumber(2));
        for (var left = _random.Next(10) == 0 ? MostRepeats : 1; left > 0; left--)
            map[key.FieldType == FieldType.String ? Text() : ValueOf(key, 0)] = ValueOf(value, 0);
    }

    private object ValueOf(FieldDescriptor field, int depth) => field.FieldType switch
    {
        FieldType.Bool => _random.Next(2) == 0,
        FieldType.Double => _numbers[_random.Next(_numbers.Length)],
        FieldType.Float => (float)_numbers[_random.Next(_numbers.Length)],
        FieldType.String => Text(),
        FieldType.Bytes => ByteString.CopyFrom(Bytes()),
        FieldType.Enum => _random.Next(3) == 0 ? (int)Edge() : _random.Next(12),
        FieldType.Int32 or FieldType.SInt32 or FieldType.SFixed32 => (int)Edge(),
        FieldType.UInt32 or FieldType.Fixed32 => (uint)Edge(),
        FieldType.Int64 or FieldType.SInt64 or FieldType.SFixed64 => (long)Edge(),
        FieldType.UInt64 or FieldType.Fixed64 => Edge(),
        FieldType.Message => Filled(field.MessageType, depth + 1),
        _ => throw new NotSupportedException($"{field.FullName} is of a type that no contract of ours has"),
    };

    private IMessage Filled(MessageDescriptor type, int depth)
    {
        var message = type.Parser.ParseFrom([]);
        foreach (var field in type.Fields.InDeclarationOrder())
        {
            if (depth < DeepestField && !field.IsRepeated && _random.Next(3) != 0)
                field.Accessor.SetValue(message, ValueOf(field, depth + 1));
        }

        return message;
    }

    private ulong Edge() => _random.Next(3) == 0 ? (ulong)_random.NextInt64() >> _random.Next(64) : _edges[_random.Next(_edges.Length)];

    private string Text() => _random.Next(8) switch
    {
        0 => "",
        1 => new string('x', 5000),
        2 => "\u001b[2J\r\n\0",
        3 => "\u202e\u200b\ufeff",
        4 => "127.0.0.1",
        5 => "0-4294967296,~/24:99999",
        6 => "a=b",
        _ => new string((char)_random.Next(33, 0x2fff), _random.Next(1, 40)),
    };

    private byte[] Bytes()
    {
        int[] lengths = [0, 1, 3, 4, 5, 15, 16, 17, 40, 4000];
        var bytes = new byte[lengths[_random.Next(lengths.Length)]];
        _random.NextBytes(bytes);
        return bytes;
    }

    /// <summary>A spoilt copy of bytes: bits turned over, bytes changed, cut out, cut off, repeated or put in.</summary>
    public byte[] SpoilBytes(byte[] bytes)
    {
        var spoilt = bytes.ToList();
        for (var changes = 1 + _random.Next(4); changes > 0 && spoilt.Count > 0; changes--)
        {
            var at = _random.Next(spoilt.Count);
            switch (_random.Next(6))
            {
                case 0:
                    spoilt[at] ^= (byte)(1 << _random.Next(8));
                    break;
                case 1:
                    spoilt[at] = (byte)_random.Next(256);
                    break;
                case 2:
                    spoilt.RemoveRange(at, Math.Min(spoilt.Count - at, 1 + _random.Next(8)));
                    break;
                case 3:
                    spoilt.RemoveRange(at, spoilt.Count - at);
                    break;
                case 4:
                    spoilt.InsertRange(at, spoilt.Slice(at, Math.Min(spoilt.Count - at, 1 + _random.Next(64))));
                    break;
                default:
                    spoilt.InsertRange(at, Bytes());
                    break;
            }
        }

        return [.. spoilt];
    }
}
