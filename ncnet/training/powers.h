// Outputs of units from the powers of their sums, where all inputs are +-1: the power of a sum is a
// product, so that an input that flips multiplies it by one factor.
//
// Set by the compiler's command line: FEATURES, the inputs and the constant of the bias.

#pragma once

#include "vectors.h"

#if !defined(ACTIVATION_relu)
namespace {

// A unit whose squared weights sum to less has no sum with an exponent above 62 (by the
// Cauchy-Schwarz inequality), so that all factors and products stay in float32's range.
constexpr float MOST_SQUARE = 62.0f * 62.0f / (STEEPNESS * STEEPNESS * FEATURES);
#if defined(ACTIVATION_tanh)
// A unit that is nearly off has outputs so small that powers, which are nearly 1, would lose them.
constexpr float LEAST_SQUARE = 0.1f;
#else
constexpr float LEAST_SQUARE = 0.0f;
#endif

// In which lanes a unit's weights are larger, or smaller: their outputs are made sum by sum.
inline Integers unsuited(const Weight *weights) {
    Vector square = {};
    for (int f = 0; f < FEATURES; f++) square += weights[f].value() * weights[f].value();
    return ~((square >= LEAST_SQUARE) & (square <= MOST_SQUARE));
}

// What a sum's power is multiplied by where an input flips from -1 to 1.
inline Vector factor(const Weight &weight) {
    return power_of_two(exponent(weight.value(), 2.0f * STEEPNESS));
}

// Of two items, which share a division: 1 / a = b * (1 / ab).
inline void outputs_of(const Vector powers[2], Vector *to) {
    const Vector one = 1.0f + powers[0], other = 1.0f + powers[1];
    const Vector both = RANGE / (one * other);
    to[0] = output_of(both * other);
    to[1] = output_of(both * one);
}

}  // namespace
#endif
