// Fused multiply-adds on registers alone: what one core can do at most.

#include <stdint.h>

#if defined(__AVX512F__)
constexpr int LANES = 16;
#elif defined(__AVX__)
constexpr int LANES = 8;
#else
constexpr int LANES = 4;
#endif
// Enough independent sums to hide the latency of each.
constexpr int SUMS = 12;

typedef float Vector __attribute__((vector_size(4 * LANES)));

// Returns the number of floating-point operations of so many rounds; one multiply-add is two.
extern "C" double multiply_add(int64_t rounds, float *result) {
    Vector sums[SUMS];
    // All different, and none the fixed point 1, or the compiler would keep fewer than are counted.
    for (int sum = 0; sum < SUMS; sum++) sums[sum] = sum + 1.5f - Vector{};
    const Vector factor = 0.999f - Vector{}, summand = 0.001f - Vector{};
    for (int64_t round = 0; round < rounds; round++)
        for (int sum = 0; sum < SUMS; sum++) sums[sum] = sums[sum] * factor + summand;
    Vector total = {};
    for (int sum = 0; sum < SUMS; sum++) total += sums[sum];
    *result = total[0];
    return 2.0 * LANES * SUMS * (double)rounds;
}
