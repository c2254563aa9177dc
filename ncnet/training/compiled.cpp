// Trains networks of one shape, a vector of LANES networks at a time, start to end.
//
// All that a step touches stays in the first-level cache: nothing but the weights at the end goes
// back to memory. Each network is computed in its own lane and never meets another, so that its
// result depends neither on how many there are nor on how they are shared out over threads.
// The formulas are those of network.py and optimizers.py, which the tests compare with these.
//
// Set by the compiler's command line: FEATURES (the last is the constant of the bias), ITEMS,
// ACTIVATION_tanh, _sigmoid or _relu, OPTIMIZER_gradient_descent or _adam, LOSS_cross_entropy or
// _squared_error, and AGGREGATOR_sum, _weighted, _pcgrad, _mgda or _cagrad.

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
// -sign * sigmoid(-sign * logit) / ITEMS, accurate for both classes however sure the head is.
inline Vector slope_of_loss(Vector logit, Vector sign) {
    return sign * (-1.0f / ITEMS) / (1.0f + exponential(sign * logit));
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
inline Vector slope_of_loss(Vector logit, Vector sign) { return (logit - sign) * (1.0f / ITEMS); }
inline Vector loss_of(Vector logit, Vector sign) { return (logit - sign) * (logit - sign) * 0.5f; }
#endif

struct Weight {
    Vector value;
#if defined(OPTIMIZER_adam)
    Vector mean, square;
#endif
};

#if defined(OPTIMIZER_gradient_descent)
inline void move(Weight &weight, Vector slope, float rate, float) { weight.value -= rate * slope; }
#elif defined(OPTIMIZER_adam)
inline void move(Weight &weight, Vector slope, float rate, float scale) {
    weight.mean += 0.1f * (slope - weight.mean);
    weight.square += 0.001f * (slope * slope - weight.square);
    weight.value -= rate * weight.mean / (square_root(weight.square) * scale + 1e-8f);
}
#endif

// Inner products of both heads' gradients on the trunk, and what multiplies each gradient: the
// formulas of aggregators.py.
struct Products {
    Vector alice, both, bob;
};

struct Coefficients {
    Vector alice, bob;
};

// Keeps a quotient finite where a squared gradient underflows; NaN stays NaN.
inline Vector positive(Vector x) { return x < 1e-37f ? all(1e-37f) : x; }
inline Vector not_negative(Vector x) { return x < 0.0f ? Vector{} : x; }
inline Vector share(Vector x) {
    x = not_negative(x);
    return x > 1.0f ? all(1.0f) : x;
}
inline Vector shortest(Products p) {
    return (p.bob - p.both) / positive(p.alice - 2.0f * p.both + p.bob);
}

#if defined(AGGREGATOR_pcgrad)
inline Coefficients combine(Products p) {
    const Vector against = p.both > 0.0f ? Vector{} : p.both;
    return {1.0f - against / positive(p.alice), 1.0f - against / positive(p.bob)};
}
#elif defined(AGGREGATOR_mgda)
inline Coefficients combine(Products p) {
    const Vector alice = share(shortest(p));
    return {2.0f * alice, 2.0f * (1.0f - alice)};
}
#elif defined(AGGREGATOR_cagrad)
inline Coefficients combine(Products p) {
    const Vector scale = p.alice + p.bob, gap = positive(scale - 2.0f * p.both);
    const Vector middle = shortest(p);
    const Vector least = not_negative((p.alice * p.bob - p.both * p.both) / gap);
    const Vector radius = square_root(not_negative(scale + 2.0f * p.both)) * 0.25f;
    const Vector slope = (p.alice - p.bob) * 0.5f;
    const Vector bend = radius * radius * gap - slope * slope;
    const Vector inner = middle - slope * square_root(least / gap) / square_root(positive(bend));
    const Vector end = slope < 0.0f ? all(1.0f) : Vector{};
    const Vector found = share(bend > 0.0f ? inner : end);
    const Vector alice = gap > 1e-7f * scale ? found : all(0.5f), bob = 1.0f - alice;
    const Vector separate = p.alice * alice * alice + p.bob * bob * bob;
    const Vector square = separate + 2.0f * p.both * alice * bob;
    const Vector pull = 2.0f * radius / square_root(positive(square));
    const Vector moves = square > 1e-7f * separate ? all(1.0f / 1.5f) : Vector{};
    return {moves * (1.0f + pull * alice), moves * (1.0f + pull * bob)};
}
#endif

struct Tile {
    const int hidden_size;
    Weight *trunk;  // [hidden_size][FEATURES]
    Weight *heads;  // [2][hidden_size + 1], Alice's and Bob's; the last is the bias
    Vector *units;  // [hidden_size][ITEMS]
    Vector (*errors)[ITEMS];  // of either head
    Vector (*signs)[ITEMS];
    Vector (*slopes)[2][FEATURES];  // [hidden_size], of either head's loss

    explicit Tile(int size)
        : hidden_size(size),
          trunk(new Weight[size * FEATURES]),
          heads(new Weight[2 * (size + 1)]),
          units(new Vector[size * ITEMS]),
          errors(new Vector[2][ITEMS]),
          signs(new Vector[2][ITEMS]),
          slopes(new Vector[size][2][FEATURES]) {}

    ~Tile() {
        delete[] trunk;
        delete[] heads;
        delete[] units;
        delete[] errors;
        delete[] signs;
        delete[] slopes;
    }

    Weight *head(int party) { return heads + party * (hidden_size + 1); }

    void forward(const float *inputs) {
        for (int party = 0; party < 2; party++)
            for (int i = 0; i < ITEMS; i++) errors[party][i] = head(party)[hidden_size].value;
        for (int h = 0; h < hidden_size; h++) {
            const Vector alice = head(0)[h].value, bob = head(1)[h].value;
            Vector weights[FEATURES];
            for (int f = 0; f < FEATURES; f++) weights[f] = trunk[h * FEATURES + f].value;
            for (int i = 0; i < ITEMS; i++) {
                Vector sum = weights[0] * inputs[i * FEATURES];
                for (int f = 1; f < FEATURES; f++) sum += weights[f] * inputs[i * FEATURES + f];
                const Vector output = activation(sum);
                units[h * ITEMS + i] = output;
                errors[0][i] += alice * output;
                errors[1][i] += bob * output;
            }
        }
    }

    // From logits to the loss's slope.
    void compare() {
        for (int party = 0; party < 2; party++)
            for (int i = 0; i < ITEMS; i++)
                errors[party][i] = slope_of_loss(errors[party][i], signs[party][i]);
    }

    void move_biases(float rate, float scale) {
        for (int party = 0; party < 2; party++) {
            Vector slope = {};
            for (int i = 0; i < ITEMS; i++) slope += errors[party][i];
            move(head(party)[hidden_size], slope, rate, scale);
        }
    }

#if defined(AGGREGATOR_sum) || defined(AGGREGATOR_weighted)
    void backward(const float *inputs, float rate, float scale, float alice_weight,
                  float bob_weight) {
        move_biases(rate, scale);
        for (int h = 0; h < hidden_size; h++) {
            const Vector alice = head(0)[h].value, bob = head(1)[h].value;
            Vector alice_slope = {}, bob_slope = {}, slopes[FEATURES] = {};
            for (int i = 0; i < ITEMS; i++) {
                const Vector output = units[h * ITEMS + i];
                alice_slope += errors[0][i] * output;
                bob_slope += errors[1][i] * output;
#if defined(AGGREGATOR_sum)
                const Vector sent = alice * errors[0][i] + bob * errors[1][i];
#else
                // A head of weight 0 is not read: should it diverge, the other must not notice.
                Vector sent = {};
                if (alice_weight != 0) sent += alice_weight * (alice * errors[0][i]);
                if (bob_weight != 0) sent += bob_weight * (bob * errors[1][i]);
#endif
                const Vector signal = sent * derivative(output);
                for (int f = 0; f < FEATURES; f++) slopes[f] += signal * inputs[i * FEATURES + f];
            }
            for (int f = 0; f < FEATURES; f++) move(trunk[h * FEATURES + f], slopes[f], rate, scale);
            move(head(0)[h], alice_slope, rate, scale);
            move(head(1)[h], bob_slope, rate, scale);
        }
    }
#else
    void backward(const float *inputs, float rate, float scale, float, float) {
        slope_by_head(inputs);
        Products sum = {};
        for (int h = 0; h < hidden_size; h++) {
            const Products unit = products(h);
            sum = {sum.alice + unit.alice, sum.both + unit.both, sum.bob + unit.bob};
        }
        const Coefficients by = combine(sum);
        move_biases(rate, scale);
        for (int h = 0; h < hidden_size; h++) {
            for (int party = 0; party < 2; party++) {
                Vector slope = {};
                for (int i = 0; i < ITEMS; i++) slope += errors[party][i] * units[h * ITEMS + i];
                move(head(party)[h], slope, rate, scale);
            }
            for (int f = 0; f < FEATURES; f++)
                move(trunk[h * FEATURES + f], by.alice * slopes[h][0][f] + by.bob * slopes[h][1][f],
                     rate, scale);
        }
    }
#endif

    void slope_by_head(const float *inputs) {
        for (int h = 0; h < hidden_size; h++) {
            Vector slope[2][FEATURES] = {};
            for (int i = 0; i < ITEMS; i++) {
                const Vector rate = derivative(units[h * ITEMS + i]);
                const Vector alice = errors[0][i] * rate, bob = errors[1][i] * rate;
                for (int f = 0; f < FEATURES; f++) {
                    slope[0][f] += alice * inputs[i * FEATURES + f];
                    slope[1][f] += bob * inputs[i * FEATURES + f];
                }
            }
            for (int party = 0; party < 2; party++)
                for (int f = 0; f < FEATURES; f++)
                    slopes[h][party][f] = head(party)[h].value * slope[party][f];
        }
    }

    // Of one unit's gradients.
    Products products(int h) {
        Products sum = {};
        for (int f = 0; f < FEATURES; f++) {
            const Vector alice = slopes[h][0][f], bob = slopes[h][1][f];
            sum.alice += alice * alice;
            sum.both += alice * bob;
            sum.bob += bob * bob;
        }
        return sum;
    }

    // What is read between steps: see measure below.
    void read(const float *inputs, float *losses, float *found, int64_t at, int64_t networks) {
        forward(inputs);
        for (int party = 0; party < 2; party++) {
            Vector sum = {};
            for (int i = 0; i < ITEMS; i++) sum += loss_of(errors[party][i], signs[party][i]);
            store(losses + party * networks + at, sum * (1.0f / ITEMS));
        }
        if (!found) return;
        compare();
        slope_by_head(inputs);
        for (int h = 0; h < hidden_size; h++) {
            const Products unit = products(h);
            const Vector values[3] = {unit.alice, unit.both, unit.bob};
            for (int which = 0; which < 3; which++)
                store(found + (which * hidden_size + h) * networks + at, values[which]);
        }
    }
};

void load_weights(Weight *weights, int count, float *const *from, int64_t at, int64_t networks) {
    for (int w = 0; w < count; w++, at += networks) {
        weights[w].value = load(from[0] + at);
#if defined(OPTIMIZER_adam)
        weights[w].mean = load(from[1] + at);
        weights[w].square = load(from[2] + at);
#endif
    }
}

void load_signs(Tile &tile, const float *signs, int64_t at, int64_t networks) {
    for (int row = 0; row < 2 * ITEMS; row++)
        tile.signs[row / ITEMS][row % ITEMS] = load(signs + row * networks + at);
}

void store_weights(const Weight *weights, int count, float *const *to, int64_t at,
                   int64_t networks) {
    for (int w = 0; w < count; w++, at += networks) {
        store(to[0] + at, weights[w].value);
#if defined(OPTIMIZER_adam)
        store(to[1] + at, weights[w].mean);
        store(to[2] + at, weights[w].square);
#endif
    }
}

}  // namespace

// Does as many steps as there are rates. Arrays are dense with the network last, whose number is a
// multiple of 16: trunk[0] [hidden_size, FEATURES, networks], heads[0] [2, hidden_size + 1,
// networks], with Adam followed by the running means of the slopes and of their squares; inputs
// [ITEMS, FEATURES]; signs [2, ITEMS, networks], +1 for class 1 and -1 for class 0. A step's rate is
// the learning rate; with Adam both bias corrections are in its rate and its scale. The weights are
// those of both heads' gradients in the trunk's, where it is their weighted sum.
extern "C" void advance(float *const *trunk, float *const *heads, const float *inputs,
                        const float *signs, const float *rates, const float *scales,
                        int64_t hidden_size, int64_t networks, int64_t steps, float alice_weight,
                        float bob_weight) {
    Tile tile((int)hidden_size);
    const int trunk_size = tile.hidden_size * FEATURES, heads_size = 2 * (tile.hidden_size + 1);
    for (int64_t network = 0; network < networks; network += LANES) {
        load_weights(tile.trunk, trunk_size, trunk, network, networks);
        load_weights(tile.heads, heads_size, heads, network, networks);
        load_signs(tile, signs, network, networks);
        for (int64_t step = 0; step < steps; step++) {
            tile.forward(inputs);
            tile.compare();
            tile.backward(inputs, rates[step], scales[step], alice_weight, bob_weight);
        }
        store_weights(tile.trunk, trunk_size, trunk, network, networks);
        store_weights(tile.heads, heads_size, heads, network, networks);
    }
}

// Reads networks without moving them: each head's loss [2, networks], and, unless null, the inner
// products of each unit's gradients |g_A|^2, g_A . g_B, |g_B|^2 [3, hidden_size, networks].
extern "C" void measure(float *const *trunk, float *const *heads, const float *inputs,
                        const float *signs, int64_t hidden_size, int64_t networks, float *losses,
                        float *products) {
    Tile tile((int)hidden_size);
    const int trunk_size = tile.hidden_size * FEATURES, heads_size = 2 * (tile.hidden_size + 1);
    for (int64_t network = 0; network < networks; network += LANES) {
        load_weights(tile.trunk, trunk_size, trunk, network, networks);
        load_weights(tile.heads, heads_size, heads, network, networks);
        load_signs(tile, signs, network, networks);
        tile.read(inputs, losses, products, network, networks);
    }
}
