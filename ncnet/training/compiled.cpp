// Trains networks of one shape, two vectors of LANES networks at a time, start to end.
//
// All that a step touches stays in the first-level cache: nothing but the weights at the end goes
// back to memory. Each network is computed in its own lane and never meets another, so that its
// result depends neither on how many there are nor on how they are shared out over threads.
//
// Set by the compiler's command line, besides what the headers ask for: AGGREGATOR_sum, _weighted,
// _pcgrad, _mgda or _cagrad.

#include <deque>
#include <memory>
#include <vector>

#include "draws.h"
#include "table.h"
#include "vectors.h"

namespace {

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

void load_weights(Weight *weights, int count, float *const *from, int64_t at, int64_t networks) {
    for (int w = 0; w < count; w++, at += networks)
        for (int part = 0; part < STATE; part++) weights[w].state[part] = load(from[part] + at);
}

void store_weights(const Weight *weights, int count, float *const *to, int64_t at,
                   int64_t networks) {
    for (int w = 0; w < count; w++, at += networks)
        for (int part = 0; part < STATE; part++) store(to[part] + at, weights[w].state[part]);
}

// A vector of networks, and what a pass over `Items` makes of them.
template <typename Items>
struct Tile {
    static constexpr int COUNT = Items::COUNT, BLOCK = Items::BLOCK;
    const int hidden_size;
    Weight *trunk;  // [hidden_size][FEATURES]
    Weight *heads;  // [2][hidden_size + 1], Alice's and Bob's; the last is the bias
    Vector *units;  // [hidden_size][COUNT]
    Vector (*errors)[COUNT];  // of either head
    Vector (*slopes)[2][FEATURES];  // [hidden_size], of either head's loss

    explicit Tile(int size)
        : hidden_size(size),
          trunk(new Weight[size * FEATURES]),
          heads(new Weight[2 * (size + 1)]),
          units(new Vector[size * COUNT]),
          errors(new Vector[2][COUNT]),
          slopes(new Vector[size][2][FEATURES]) {}

    ~Tile() {
        delete[] trunk;
        delete[] heads;
        delete[] units;
        delete[] errors;
        delete[] slopes;
    }

    Weight *head(int party) { return heads + party * (hidden_size + 1); }

    void take(float *const *trunk_from, float *const *heads_from, int64_t at, int64_t networks) {
        load_weights(trunk, hidden_size * FEATURES, trunk_from, at, networks);
        load_weights(heads, 2 * (hidden_size + 1), heads_from, at, networks);
    }

    void give(float *const *trunk_to, float *const *heads_to, int64_t at, int64_t networks) const {
        store_weights(trunk, hidden_size * FEATURES, trunk_to, at, networks);
        store_weights(heads, 2 * (hidden_size + 1), heads_to, at, networks);
    }

    void forward(const Items &items) {
        for (int h = 0; h < hidden_size; h++)
            items.outputs(trunk + h * FEATURES, units + h * COUNT);
    }

    // Of both heads, for the items of a block.
    void block_logits(int block, Vector logits[2][BLOCK]) {
#pragma GCC unroll 8
        for (int i = 0; i < BLOCK; i++) {
            logits[0][i] = head(0)[hidden_size].value();
            logits[1][i] = head(1)[hidden_size].value();
        }
        for (int h = 0; h < hidden_size; h++) {
            const Vector alice = head(0)[h].value(), bob = head(1)[h].value();
            const Vector *outputs = units + h * COUNT + block * BLOCK;
#pragma GCC unroll 8
            for (int i = 0; i < BLOCK; i++) {
                logits[0][i] += alice * outputs[i];
                logits[1][i] += bob * outputs[i];
            }
        }
    }

    // From outputs to the slopes of the losses by the logits.
    void compare(const Items &items) {
        for (int block = 0; block < COUNT / BLOCK; block++) {
            Vector logits[2][BLOCK];
            block_logits(block, logits);
            for (int party = 0; party < 2; party++)
#pragma GCC unroll 8
                for (int i = 0; i < BLOCK; i++) {
                    const int item = block * BLOCK + i;
                    errors[party][item] =
                        slope_of_loss(logits[party][i], items.target(party, item));
                }
        }
    }

    void move_biases(Step by) {
        for (int party = 0; party < 2; party++) {
            Vector slope = {};
            for (int i = 0; i < COUNT; i++) slope += errors[party][i];
            move(head(party)[hidden_size], slope, by);
        }
    }

#if defined(AGGREGATOR_sum) || defined(AGGREGATOR_weighted)
    void backward(const Items &items, Step by, float alice_weight, float bob_weight) {
        move_biases(by);
        for (int h = 0; h < hidden_size; h++) {
            const Vector alice = head(0)[h].value(), bob = head(1)[h].value();
            Vector alice_slope = {}, bob_slope = {}, slopes[FEATURES] = {};
            for (int block = 0; block < COUNT / BLOCK; block++) {
                Vector signals[BLOCK];
#pragma GCC unroll 8
                for (int item = 0; item < BLOCK; item++) {
                    const int i = block * BLOCK + item;
                    const Vector output = units[h * COUNT + i];
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
                    signals[item] = sent * derivative(output);
                }
                items.add_slopes(signals, block, slopes);
            }
            for (int f = 0; f < FEATURES; f++) move(trunk[h * FEATURES + f], slopes[f], by);
            move(head(0)[h], alice_slope, by);
            move(head(1)[h], bob_slope, by);
        }
    }
#else
    void backward(const Items &items, Step by, float, float) {
        slope_by_head(items);
        Products sum = {};
        for (int h = 0; h < hidden_size; h++) {
            const Products unit = products(h);
            sum = {sum.alice + unit.alice, sum.both + unit.both, sum.bob + unit.bob};
        }
        const Coefficients found = combine(sum);
        move_biases(by);
        for (int h = 0; h < hidden_size; h++) {
            for (int party = 0; party < 2; party++) {
                Vector slope = {};
                for (int i = 0; i < COUNT; i++) slope += errors[party][i] * units[h * COUNT + i];
                move(head(party)[h], slope, by);
            }
            for (int f = 0; f < FEATURES; f++) {
                const Vector alice = found.alice * slopes[h][0][f];
                move(trunk[h * FEATURES + f], alice + found.bob * slopes[h][1][f], by);
            }
        }
    }
#endif

    void slope_by_head(const Items &items) {
        for (int row = 0; row < 2 * hidden_size; row++) {
            const int h = row / 2, party = row % 2;
            Vector found[FEATURES] = {};
            for (int block = 0; block < COUNT / BLOCK; block++) {
                Vector signals[BLOCK];
                for (int item = 0; item < BLOCK; item++) {
                    const int i = block * BLOCK + item;
                    signals[item] = errors[party][i] * derivative(units[h * COUNT + i]);
                }
                items.add_slopes(signals, block, found);
            }
            for (int f = 0; f < FEATURES; f++)
                slopes[h][party][f] = head(party)[h].value() * found[f];
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
    void read(const Items &items, float *losses, float *found, int64_t at, int64_t networks) {
        forward(items);
        Vector sums[2] = {};
        for (int block = 0; block < COUNT / BLOCK; block++) {
            Vector logits[2][BLOCK];
            block_logits(block, logits);
            for (int i = 0; i < BLOCK; i++)
                for (int party = 0; party < 2; party++) {
                    const Target target = items.target(party, block * BLOCK + i);
                    sums[party] += loss_of(logits[party][i], target);
                }
        }
        for (int party = 0; party < 2; party++)
            store(losses + party * networks + at, sums[party] * (1.0f / COUNT));
        if (!found) return;
        compare(items);
        slope_by_head(items);
        for (int h = 0; h < hidden_size; h++) {
            const Products unit = products(h);
            const Vector values[3] = {unit.alice, unit.both, unit.bob};
            for (int which = 0; which < 3; which++)
                store(found + (which * hidden_size + h) * networks + at, values[which]);
        }
    }
};

}  // namespace

// Does as many steps as there are rates. Arrays are dense with the network last, whose number is a
// multiple of 64: trunk[0] [hidden_size, FEATURES, networks], heads[0] [2, hidden_size + 1,
// networks], followed by the running means that an optimizer has; signs
// [2, ITEMS, networks], +1 for class 1 and -1 for class 0. A step's rate is the learning rate; with
// Adam both bias corrections are in its rate and its scale. The weights are those of both heads'
// gradients in the trunk's, where it is their weighted sum. What a step draws follows from the keys
// [2, 2, networks / alike], the number of the step, and the number below which a label is flipped;
// it is the same in `alike` networks, each as far from the next as there are keys.
extern "C" void advance(float *const *trunk, float *const *heads, const float *signs,
                        const float *rates, const float *scales, int64_t hidden_size,
                        int64_t networks, int64_t steps, float alice_weight, float bob_weight,
                        float momentum, float weight_decay, const uint32_t *keys, int64_t alike,
                        int64_t steps_done, uint32_t threshold) {
    const WithoutSubnormals while_this_runs;
    // Items are on the heap: a table may have more than a stack holds.
#if defined(BATCH) || defined(LABEL_NOISE)
    const auto items = std::make_unique<Shown>();
    const int64_t apart = networks / alike;
    std::deque<Tile<Shown>> tiles;
    for (int64_t which = 0; which < alike; which++) tiles.emplace_back((int)hidden_size);
    for (int64_t first = 0; first < apart; first += LANES) {
        std::vector<Classes> classes;
        for (int64_t which = 0; which < alike; which++) {
            const int64_t network = first + which * apart;
            tiles[which].take(trunk, heads, network, networks);
            classes.emplace_back(signs, network, networks);
        }
        const auto stream = std::make_unique<Stream>(keys, first, apart, steps_done);
        for (int64_t step = 0; step < steps; step++) {
            const Step by = {rates[step], scales[step], momentum, weight_decay};
            stream->show(*items, threshold);
            for (Tile<Shown> &tile : tiles) tile.forward(*items);
            for (int64_t which = 0; which < alike; which++) {
                items->label(classes[which]);
                tiles[which].compare(*items);
            }
            for (Tile<Shown> &tile : tiles) tile.backward(*items, by, alice_weight, bob_weight);
        }
        for (int64_t which = 0; which < alike; which++)
            tiles[which].give(trunk, heads, first + which * apart, networks);
    }
#else
    // Two vectors take turns: while results of one are awaited, the other is computed.
    Tile<Table> tiles[] = {Tile<Table>((int)hidden_size), Tile<Table>((int)hidden_size)};
    const auto tables = std::make_unique<Table[]>(2);
    for (int64_t first = 0; first < networks; first += 2 * LANES) {
        const int count = first + LANES < networks ? 2 : 1;
        for (int t = 0; t < count; t++) {
            tiles[t].take(trunk, heads, first + t * LANES, networks);
            tables[t].take(signs, first + t * LANES, networks);
        }
        for (int64_t step = 0; step < steps; step++) {
            const Step by = {rates[step], scales[step], momentum, weight_decay};
            for (int t = 0; t < count; t++) tiles[t].forward(tables[t]);
            for (int t = 0; t < count; t++) tiles[t].compare(tables[t]);
            for (int t = 0; t < count; t++)
                tiles[t].backward(tables[t], by, alice_weight, bob_weight);
        }
        for (int t = 0; t < count; t++)
            tiles[t].give(trunk, heads, first + t * LANES, networks);
    }
#endif
}

// Reads networks without moving them: each head's loss [2, networks], and, unless null, the inner
// products of each unit's gradients |g_A|^2, g_A . g_B, |g_B|^2 [3, hidden_size, networks].
extern "C" void measure(float *const *trunk, float *const *heads, const float *signs,
                        int64_t hidden_size, int64_t networks, float *losses, float *products) {
    Tile<Table> tile((int)hidden_size);
    const auto table = std::make_unique<Table>();
    for (int64_t network = 0; network < networks; network += LANES) {
        tile.take(trunk, heads, network, networks);
        table->take(signs, network, networks);
        tile.read(*table, losses, products, network, networks);
    }
}
