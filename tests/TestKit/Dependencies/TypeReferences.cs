using System.Reflection;
using System.Reflection.Emit;

namespace LoadHarness.TestKit.Dependencies;

/// <summary>
/// Which types a type refers to: in its declaration, its members' signatures, and the bodies of its methods (locals and every token of
/// the IL).
/// Closures and state machines are nested types, so they are read with the type that contains them.
/// </summary>
public static class TypeReferences
{
    private const BindingFlags Everything =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<short, OpCode> _opCodes = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(f => (OpCode)f.GetValue(null)!).ToDictionary(code => code.Value);

    /// <summary>All types that a type refers to, generic arguments and element types taken apart; pointers as such too.</summary>
    public static IReadOnlySet<Type> Of(Type type)
    {
        var found = new HashSet<Type>();
        var methods = type.GetMethods(Everything).Concat<MethodBase>(type.GetConstructors(Everything));
        foreach (var reference in Declared(type).Concat(methods.SelectMany(InMethod)))
            Take(reference, found);
        return found;
    }

    /// <summary>All methods that the bodies of a type call.</summary>
    public static IEnumerable<MethodBase> Calls(Type type) =>
        from method in type.GetMethods(Everything).Concat<MethodBase>(type.GetConstructors(Everything))
        where method.GetMethodBody() is not null
        from token in Tokens(method.GetMethodBody()!.GetILAsByteArray()!)
        let called = Member(method, token) as MethodBase
        where called is not null
        select called;

    private static IEnumerable<Type?> Declared(Type type) =>
    [
        type.BaseType,
        .. type.GetInterfaces(),
        .. type.GetFields(Everything).Select(f => f.FieldType),
        .. type.GetProperties(Everything).Select(p => p.PropertyType),
        .. type.GetCustomAttributesData().Select(a => a.AttributeType),
        .. type.GetGenericArguments().Where(a => a.IsGenericParameter).SelectMany(a => a.GetGenericParameterConstraints()),
    ];

    private static IEnumerable<Type?> InMethod(MethodBase method)
    {
        if (method is MethodInfo { ReturnType: var returned })
            yield return returned;
        foreach (var parameter in method.GetParameters())
            yield return parameter.ParameterType;
        if (method.GetMethodBody() is not { } body)
            yield break;
        foreach (var local in body.LocalVariables)
            yield return local.LocalType;
        foreach (var caught in body.ExceptionHandlingClauses.Where(c => c.Flags == ExceptionHandlingClauseOptions.Clause))
            yield return caught.CatchType;
        foreach (var token in Tokens(body.GetILAsByteArray()!))
        {
            foreach (var type in Resolve(method, token))
                yield return type;
        }
    }

    private static IEnumerable<int> Tokens(byte[] il)
    {
        for (var at = 0; at < il.Length;)
        {
            var value = il[at] == 0xFE ? unchecked((short)(0xFE00 | il[at + 1])) : il[at];
            var code = _opCodes[value];
            at += code.Size;
            switch (code.OperandType)
            {
                case OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineTok or OperandType.InlineType:
                    yield return BitConverter.ToInt32(il, at);
                    at += 4;
                    break;
                case OperandType.InlineSwitch:
                    at += 4 + (4 * BitConverter.ToInt32(il, at));
                    break;
                default:
                    at += OperandSize(code.OperandType);
                    break;
            }
        }
    }

    private static int OperandSize(OperandType type) => type switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        _ => 4,
    };

    private static MemberInfo? Member(MethodBase method, int token) => method.Module.ResolveMember(
        token,
        method.DeclaringType!.IsGenericType ? method.DeclaringType.GetGenericArguments() : null,
        method.IsGenericMethod ? method.GetGenericArguments() : null);

    private static IEnumerable<Type?> Resolve(MethodBase method, int token)
    {
        return Member(method, token) switch
        {
            Type type => [type],
            FieldInfo field => [field.DeclaringType, field.FieldType],
            MethodInfo called =>
            [
                called.DeclaringType, called.ReturnType, .. called.GetParameters().Select(p => p.ParameterType),
                .. called.IsGenericMethod ? called.GetGenericArguments() : [],
            ],
            // A UTF-8 literal is compiled to a call of ReadOnlySpan<byte>(void*, int): nobody wrote that pointer.
            ConstructorInfo { DeclaringType: var span } when span == typeof(ReadOnlySpan<byte>) => [span],
            MethodBase constructor => [constructor.DeclaringType, .. constructor.GetParameters().Select(p => p.ParameterType)],
            _ => [],
        };
    }

    private static void Take(Type? type, HashSet<Type> into)
    {
        if (type is null || type.IsGenericParameter)
            return;
        if (type.HasElementType)
        {
            if (type.IsPointer)
                into.Add(type);
            Take(type.GetElementType(), into);
            return;
        }

        into.Add(type.IsGenericType ? type.GetGenericTypeDefinition() : type);
        foreach (var argument in type.GetGenericArguments())
            Take(argument, into);
    }
}
