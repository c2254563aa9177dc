// The arithmetic of a vector of LANES networks or items, which every kernel is made of.
//
// Set by the compiler's command line: ACTIVATION_tanh, _sigmoid or _relu,
// OPTIMIZER_gradient_descent or _adam, LOSS_cross_entropy or _squared_error, and, where they are
// not 0, MOMENTUM and WEIGHT_DECAY. The formulas are those of network.py and optimizers.py, which
// the tests compare with these.

#pragma once

#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
constexpr int LANES = 16;
#elif defined(__AVX__)
constexpr int LANES = 8;
#else
constexpr int LANES = 4;
#endif

typedef float Vector __attribute__((vector_size(4 * LANES)));
typedef int32_t Integers __attribute__((vector_size(4 * LANES)));
typedef uint32_t Unsigned __attribute__((vector_size(4 * LANES)));

namespace {

inline Vector load(const float *from) {
    Vector values;
    memcpy(&values, from, sizeof values);
    return values;
}

inline void store(float *to, Vector values) { memcpy(to, &values, sizeof values); }

inline Vector all(float value) { return value - Vector{}; }

inline bool any(Integers truths) {
#if defined(__AVX512DQ__)
    return _mm512_movepi32_mask((__m512i)truths);
#else
    int32_t found = 0;
    for (int lane = 0; lane < LANES; lane++) found |= truths[lane];
    return found;
#endif
}

constexpr float LOG2_E = 1.44269504f;

// NaN stays NaN here and everywhere below, since comparisons with it are false: a diverged network
// stays diverged.
#if defined(__AVX512DQ__)
inline Vector at_least(Vector x, float bound) {
    return (Vector)_mm512_max_ps((__m512)all(bound), (__m512)x);
}
inline Vector at_most(Vector x, float bound) {
    return (Vector)_mm512_min_ps((__m512)all(bound), (__m512)x);
}
#else
inline Vector at_least(Vector x, float bound) { return x < bound ? all(bound) : x; }
inline Vector at_most(Vector x, float bound) { return x > bound ? all(bound) : x; }
#endif
inline Vector clamp(Vector x, float bound) { return at_least(at_most(x, bound), -bound); }

// To the nearest integer, below 2^22.
inline Vector rounded(Vector x) {
    const float shift = 12582912.0f;  // 1.5 * 2^23, where floats are a unit apart
    return (x + shift) - shift;
}

// (2^r - 1) / r for |r| <= 1/2, a polynomial of least relative error, 4.7e-7; in 2^r it is 1.7e-7,
// and none at 0: a sigmoid errs alike on both sides of 0, where training may end in a tie.
inline Vector power_slope(Vector r) {
    Vector series = r * 1.333353925e-3f + 9.666245431e-3f;
    series = series * r + 5.550500378e-2f;
    series = series * r + 2.402235121e-1f;
    return series * r + 6.931471229e-1f;
}

// x * 2^k for an integer k; 1/2 <= x <= 2.
inline Vector scaled(Vector x, Vector k) {
#if defined(__AVX512DQ__)
    return (Vector)_mm512_scalef_ps((__m512)x, (__m512)k);
#else
    const Unsigned power = (Unsigned)__builtin_convertvector(k, Integers);
    return (Vector)((Unsigned)x + (power << 23));
#endif
}

// An exponent as an integer k and a rest r, |r| <= 1/2.
struct Exponent {
    Vector k, r;
};

// Beyond [-126, 126] an exponent goes on, to infinity, or stays.
inline Exponent exponent(Vector x) {
#if defined(__AVX512DQ__)
    const int nearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
    const Vector r = (Vector)_mm512_reduce_ps((__m512)x, nearest);
    return {x - r, r};
#else
    x = clamp(x, 126.0f);
    const Vector k = rounded(x);
    return {k, x - k};
#endif
}

// Of x * factor within [-126, 126]: where there are fused multiply-adds the product is not rounded.
inline Exponent exponent(Vector x, float factor) {
    const Vector k = rounded(x * factor);
    return {k, x * factor - k};
}

// Within 2.5e-7 of 2^(k + r), relatively (of an exponent that is a rounded product, within 4e-6).
inline Vector power_of_two(Exponent x) {
    return scaled(power_slope(x.r) * x.r + 1.0f, x.k);
}

// Within 6e-7 of 2^(k + r) - 1, relatively, also near 0.
inline Vector power_less_one(Exponent x) {
    const Vector scale = scaled(all(1.0f), x.k);
    return power_slope(x.r) * x.r * scale + (scale - 1.0f);
}

// Within 4e-7 of exp(x), relatively, on [-60, 60]; where it is the probability of an error, 1e-26
// is as good as less.
inline Vector exponential(Vector x) {
    x = clamp(x, 60.0f);
    const Vector k = rounded(x * LOG2_E), r = x - k * 0.693359375f - k * -2.12194440e-4f;
    return power_of_two({k, r * LOG2_E});
}

// Within 1.2e-7 of the square root, relatively, of 1e-36 and more; at most 1e-18 below.
inline Vector square_root(Vector x) {
#if defined(__AVX512DQ__)
    x = at_least(x, 1e-37f);
    const Vector inverse = (Vector)_mm512_rsqrt14_ps((__m512)x), root = x * inverse;
    return root + (0.5f * root) * (1.0f - root * inverse);
#else
    for (int lane = 0; lane < LANES; lane++) x[lane] = __builtin_sqrtf(x[lane]);
    return x;
#endif
}

#if defined(ACTIVATION_relu)
inline Vector activation(Vector x) { return at_least(x, 0.0f); }
inline Vector derivative(Vector output) { return output > 0.0f ? all(1.0f) : Vector{}; }
#else
// Both others are output_of(RANGE / (1 + p)) of the power p = 2^(STEEPNESS * x).
#if defined(ACTIVATION_tanh)
constexpr float STEEPNESS = 2.0f * LOG2_E, RANGE = 2.0f;
inline Vector output_of(Vector share) { return 1.0f - share; }
inline Vector derivative(Vector output) { return 1.0f - output * output; }
// Within 8e-7 of tanh, relatively: what 1 - share has lost near 0 is there in p - 1.
inline Vector activation(Vector x) {
    const Vector less_one = power_less_one(exponent(at_most(x * STEEPNESS, 64.0f)));
    return less_one / (less_one + 2.0f);
}
#elif defined(ACTIVATION_sigmoid)
constexpr float STEEPNESS = -LOG2_E, RANGE = 1.0f;
inline Vector output_of(Vector share) { return share; }
inline Vector derivative(Vector output) { return output - output * output; }
// Within 1.2e-7 of the sigmoid.
inline Vector activation(Vector x) {
    return RANGE / (1.0f + power_of_two(exponent(x * STEEPNESS)));
}
#endif
#endif

// A class as +-1, and what the slope of its loss is made of.
struct Target {
    Vector sign, exponent, numerator;
};
// Of one of so many items, over which the loss is averaged.
inline Target target(Vector sign, int items) {
    return {sign, sign * LOG2_E, sign * (-1.0f / items)};
}

#if defined(LOSS_cross_entropy)
// -sign * sigmoid(-sign * logit) / items, relatively within 3e-7 + 8e-8 |logit| for both classes,
// however sure the head is.
inline Vector slope_of_loss(Vector logit, Target target) {
    return target.numerator / (1.0f + power_of_two(exponent(logit * target.exponent)));
}
// log(1 + exp(-x)) for x = sign * logit, as max(-x, 0) + log(1 + u) with u = exp(-|x|) <= 1 and
// log(1 + u) = 2 artanh(s), s = u / (2 + u) <= 1/3, whose series ends here below 2e-9 of it.
inline Vector loss_of(Vector logit, Target target) {
    const Vector x = target.sign * logit;
    const Vector u = exponential(x < 0.0f ? x : -x), s = u / (2.0f + u), square = s * s;
    Vector series = all(1.0f / 15.0f);
    for (int odd = 13; odd > 0; odd -= 2) series = series * square + 1.0f / odd;
    return (x < 0.0f ? -x : Vector{}) + 2.0f * s * series;
}
#elif defined(LOSS_squared_error)
inline Vector slope_of_loss(Vector logit, Target target) {
    return target.numerator - logit * (target.numerator * target.sign);
}
inline Vector loss_of(Vector logit, Target target) {
    const Vector apart = logit - target.sign;
    return apart * apart * 0.5f;
}
#endif

// While it lives, what is too small for a normal number is 0 on x86, where it would be a hundred
// times as slow: Adam's means end there for a unit that is off for all items.
struct WithoutSubnormals {
#if defined(__SSE2__)
    const unsigned before = _mm_getcsr();
    WithoutSubnormals() { _mm_setcsr(before | 0x8040); }
    ~WithoutSubnormals() { _mm_setcsr(before); }
#endif
};

// A weight, and what else its optimizer changes.
#if defined(OPTIMIZER_adam)
constexpr int STATE = 3;
#elif defined(MOMENTUM)
constexpr int STATE = 2;
#else
constexpr int STATE = 1;
#endif
struct Weight {
    Vector state[STATE];
    Vector &value() { return state[0]; }
    const Vector &value() const { return state[0]; }
};

// What a step is made with; the last two where they are not 0.
struct Step {
    float rate, scale, momentum, weight_decay;
};

inline void move(Weight &weight, Vector slope, Step by) {
#if defined(WEIGHT_DECAY)
    slope += by.weight_decay * weight.value();
#endif
#if defined(OPTIMIZER_adam)
    Vector &mean = weight.state[1], &square = weight.state[2];
    mean += 0.1f * (slope - mean);
    square += 0.001f * (slope * slope - square);
    weight.value() -= by.rate * mean / (square_root(square) * by.scale + 1e-8f);
#elif defined(MOMENTUM)
    Vector &velocity = weight.state[1];
    velocity = by.momentum * velocity + slope;
    weight.value() -= by.rate * velocity;
#else
    weight.value() -= by.rate * slope;
#endif
}

}  // namespace
