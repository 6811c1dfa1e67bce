namespace LoadHarness.Coordinator.Specs;

/// <summary>A quantity as it arrived: typed by a person, or already a value. Both convert implicitly.</summary>
/// <param name="Text">As typed; null when <paramref name="Value"/> is meant.</param>
/// <param name="Value">Meaningless when there is a text.</param>
public readonly record struct Quantity<T>(string? Text, T Value)
    where T : struct
{
    /// <summary>Typed by a person.</summary>
    public static implicit operator Quantity<T>(string text) => new(text, default);

    /// <summary>Already a value.</summary>
    public static implicit operator Quantity<T>(T value) => new(null, value);
}
