namespace LoadHarness.Coordinator.Specs;

/// <summary>What a parser made of a text: a value, or what is wrong with it. Parsers never throw.</summary>
public readonly struct Parsed<T>
{
    private readonly T? _value;

    private Parsed(T? value, ParseProblem? problem)
    {
        _value = value;
        Problem = problem;
    }

    /// <summary>Null when the text was fine.</summary>
    public ParseProblem? Problem { get; }

    /// <summary>Whether there is a value.</summary>
    public bool Ok => Problem is null;

    /// <summary>The value.</summary>
    /// <exception cref="InvalidOperationException">There is a problem instead.</exception>
    public T Value => Problem is null ? _value! : throw new InvalidOperationException(Problem.Problem);

    /// <summary>A value.</summary>
    public static implicit operator Parsed<T>(T value) => new(value, null);

    /// <summary>A problem.</summary>
    public static implicit operator Parsed<T>(ParseProblem problem) => new(default, problem);
}

/// <summary>What is wrong with a text, before it is known which field it stands in; see <see cref="SpecError"/> for the parts.</summary>
public sealed record ParseProblem(string Problem, string Allowed, string Remedy)
{
    /// <summary>The same problem in a field.</summary>
    public SpecError At(string field, string value) => new(field, value, Problem, Allowed, Remedy);
}
