// The arithmetic of a vector of LANES networks or items, which every kernel is made of.
//
// Set by the compiler's command line: ACTIVATION_tanh, _sigmoid or _relu,
// OPTIMIZER_gradient_descent or _adam, LOSS_cross_entropy or _squared_error, and, where they are not
// 0, MOMENTUM and WEIGHT_DECAY. The formulas are those of network.py and optimizers.py, which the
// tests compare with these.

#pragma once

#include <stdint.h>
#include <string.h>

#if defined(__AVX512F__)
constexpr int LANES = 16;
#elif defined(__AVX__)
constexpr int LANES = 8;
#else
constexpr int LANES = 4;
#endif

typedef float Vector __attribute__((vector_size(4 * LANES)));
typedef int32_t Integers __attribute__((vector_size(4 * LANES)));

namespace {

inline Vector load(const float *from) {
    Vector values;
    memcpy(&values, from, sizeof values);
    return values;
}

inline void store(float *to, Vector values) { memcpy(to, &values, sizeof values); }

inline Vector all(float value) { return value - Vector{}; }

// Comparisons with NaN are false: a diverged network stays NaN here and everywhere below.
inline Vector clamp(Vector x, float bound) {
    x = x > bound ? all(bound) : x;
    return x < -bound ? all(-bound) : x;
}

inline Vector square_root(Vector x) {
    for (int lane = 0; lane < LANES; lane++) x[lane] = __builtin_sqrtf(x[lane]);
    return x;
}

// Cephes' expf: exp(x) = 2^k exp(r) with |r| <= log(2)/2; within 2 units in the last place.
// Beyond 60 sigmoid(-x) is below 1e-26, and nothing here turns into slow subnormal numbers.
inline Vector exponential(Vector x) {
    const float round = 12582912.0f;  // 1.5 * 2^23: adding it leaves k in the lowest bits
    x = clamp(x, 60.0f);
    const Vector shifted = x * 1.44269504f + round;
    const Vector k = shifted - round;
    const Vector r = x - k * 0.693359375f - k * -2.12194440e-4f;
    Vector series = r * 1.9875691500e-4f + 1.3981999507e-3f;
    series = series * r + 8.3334519073e-3f;
    series = series * r + 4.1665795894e-2f;
    series = series * r + 1.6666665459e-1f;
    series = series * r + 5.0000001201e-1f;
    series = series * (r * r) + r + 1.0f;
    const Integers bits = (Integers)shifted;
    return series * (Vector)((bits + 127) << 23);
}

#if defined(ACTIVATION_tanh)
// The rational approximation of Eigen and XLA: odd degree 13 over even degree 6, within 4 units in
// the last place; beyond the bound float32 knows no difference from +-1.
inline Vector activation(Vector x) {
    x = clamp(x, 7.90531110763549805f);
    const Vector square = x * x;
    Vector above = square * -2.76076847742355e-16f + 2.00018790482477e-13f;
    above = above * square + -8.60467152213735e-11f;
    above = above * square + 5.12229709037114e-08f;
    above = above * square + 1.48572235717979e-05f;
    above = above * square + 6.37261928875436e-04f;
    above = above * square + 4.89352455891786e-03f;
    Vector below = square * 1.19825839466702e-06f + 1.18534705686654e-04f;
    below = below * square + 2.26843463243900e-03f;
    below = below * square + 4.89352518554385e-03f;
    return x * above / below;
}
inline Vector derivative(Vector output) { return 1.0f - output * output; }
#elif defined(ACTIVATION_sigmoid)
inline Vector activation(Vector x) { return 1.0f / (1.0f + exponential(-x)); }
inline Vector derivative(Vector output) { return output - output * output; }
#elif defined(ACTIVATION_relu)
inline Vector activation(Vector x) { return x < 0.0f ? Vector{} : x; }
inline Vector derivative(Vector output) { return output > 0.0f ? all(1.0f) : Vector{}; }
#endif

#if defined(LOSS_cross_entropy)
// -sign * sigmoid(-sign * logit) / items, accurate for both classes however sure the head is.
inline Vector slope_of_loss(Vector logit, Vector sign, int items) {
    return sign * (-1.0f / items) / (1.0f + exponential(sign * logit));
}
// log(1 + exp(-x)) for x = sign * logit, as max(-x, 0) + log(1 + u) with u = exp(-|x|) <= 1 and
// log(1 + u) = 2 artanh(s), s = u / (2 + u) <= 1/3, whose series ends here below 2e-9 of it.
inline Vector loss_of(Vector logit, Vector sign) {
    const Vector x = sign * logit;
    const Vector u = exponential(x < 0.0f ? x : -x), s = u / (2.0f + u), square = s * s;
    Vector series = all(1.0f / 15.0f);
    for (int odd = 13; odd > 0; odd -= 2) series = series * square + 1.0f / odd;
    return (x < 0.0f ? -x : Vector{}) + 2.0f * s * series;
}
#elif defined(LOSS_squared_error)
inline Vector slope_of_loss(Vector logit, Vector sign, int items) {
    return (logit - sign) * (1.0f / items);
}
inline Vector loss_of(Vector logit, Vector sign) { return (logit - sign) * (logit - sign) * 0.5f; }
#endif

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
