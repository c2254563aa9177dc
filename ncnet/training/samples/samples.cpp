// Trains networks whose items differ from replica to replica, one replica at a time.
//
// A vector holds LANES items, or LANES inputs of one item. The hidden units of all the replica's
// networks are the rows of one matrix product in either direction, computed in tiles whose sums
// stay in registers, for a block of items at a time, so that what is computed of a block stays in
// the cache however many items there are. No sum depends on how many networks or replicas there are. The
// items of a batch are read where they are; only for the way forward are they copied, by inputs.
//
// Slopes are added up over items and divided by their number at the end. Set by the compiler's
// command line: what vectors.h asks for.

#include "threefry.h"

#include <algorithm>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

constexpr int BLOCK = 64;  // items
constexpr int LINE = 16;   // numbers of a line of the cache
constexpr int QUAD = 4;    // columns of numbers that are gathered at once
constexpr int ROWS = 4;    // of a tile: with a width of 4 the processor is never short of sums
#if defined(__AVX512F__)
constexpr int WIDTH = 4;  // of a tile, in vectors
#else
constexpr int WIDTH = 2;  // there are fewer registers
#endif

inline int padded(int count, int to = LANES) { return (count + to - 1) / to * to; }

// Zeros, aligned for vectors; as many as a multiple of LANES.
struct Array {
    Vector *vectors;
    Array() : vectors(nullptr) {}
    explicit Array(int64_t count) { make(count); }
    void make(int64_t count) { vectors = new Vector[(count + LANES - 1) / LANES](); }
    Array(const Array &) = delete;
    ~Array() { delete[] vectors; }
    float *operator+(int64_t place) { return (float *)vectors + place; }
    float &operator[](int64_t place) { return ((float *)vectors)[place]; }
};

template <int COUNT>
inline float total(const float *values) {
    if constexpr (COUNT == 1) {
        return values[0];
    } else {
        float halves[COUNT / 2];
        for (int i = 0; i < COUNT / 2; i++) halves[i] = values[i] + values[i + COUNT / 2];
        return total<COUNT / 2>(halves);
    }
}

inline float total(Vector vector) {
    float values[LANES];
    store(values, vector);
    return total<LANES>(values);
}

// Rows of a matrix, from a column on: so far apart, or anywhere.
struct Strided {
    const float *first;
    int stride;
    const float *row(int k) const { return first + k * stride; }
    Strided from(int column) const { return {first + column, stride}; }
};
struct Scattered {
    const float *const *rows;
    int column;
    const float *row(int k) const { return rows[k] + column; }
    Scattered from(int column) const { return {rows, column}; }
};

// sums[r, v] += sum over k of left[r, k] * right[k, v], for COUNT rows and VECTORS vectors.
template <int COUNT, int VECTORS, class Rows>
inline void multiply_tile(const float *left, int left_stride, Rows right, int depth, float *sums,
                          int sums_stride) {
    Vector tile[COUNT][VECTORS];
#pragma GCC unroll 8
    for (int row = 0; row < COUNT; row++)
#pragma GCC unroll 8
        for (int v = 0; v < VECTORS; v++) tile[row][v] = load(sums + row * sums_stride + v * LANES);
    const float *from[COUNT];
#pragma GCC unroll 8
    for (int row = 0; row < COUNT; row++) from[row] = left + row * left_stride;
#pragma GCC unroll 4
    for (int k = 0; k < depth; k++) {
        Vector values[VECTORS];
#pragma GCC unroll 8
        for (int v = 0; v < VECTORS; v++) values[v] = load(right.row(k) + v * LANES);
#pragma GCC unroll 8
        for (int row = 0; row < COUNT; row++) {
            const Vector by = all(from[row][k]);
#pragma GCC unroll 8
            for (int v = 0; v < VECTORS; v++) tile[row][v] += by * values[v];
        }
    }
#pragma GCC unroll 8
    for (int row = 0; row < COUNT; row++)
#pragma GCC unroll 8
        for (int v = 0; v < VECTORS; v++) store(sums + row * sums_stride + v * LANES, tile[row][v]);
}

template <int COUNT, int VECTORS, class Rows>
int multiply_rows(const float *left, int left_stride, Rows right, int row, int rows, int depth,
                  float *sums, int sums_stride) {
    for (; row + COUNT <= rows; row += COUNT)
        multiply_tile<COUNT, VECTORS>(left + row * left_stride, left_stride, right, depth,
                                      sums + row * sums_stride, sums_stride);
    return row;
}

template <int VECTORS, class Rows>
void multiply_columns(const float *left, int left_stride, Rows right, int rows, int depth,
                      float *sums, int sums_stride) {
    const auto from = [&](auto tile, int row) {
        return multiply_rows<tile.value, VECTORS>(left, left_stride, right, row, rows, depth, sums,
                                                  sums_stride);
    };
    int row = 0;
    if constexpr (VECTORS == 1) row = from(std::integral_constant<int, 2 * ROWS>{}, row);
    row = from(std::integral_constant<int, ROWS>{}, row);
    from(std::integral_constant<int, 1>{}, row);
}

// The same for any number of rows and for so many columns, a multiple of LANES.
template <class Rows>
void multiply(const float *left, int left_stride, Rows right, int rows, int depth, int columns,
              float *sums, int sums_stride) {
    int at = 0;
    for (; at + WIDTH * LANES <= columns; at += WIDTH * LANES)
        multiply_columns<WIDTH>(left, left_stride, right.from(at), rows, depth, sums + at,
                                sums_stride);
    for (; at < columns; at += LANES)
        multiply_columns<1>(left, left_stride, right.from(at), rows, depth, sums + at, sums_stride);
}

inline Unsigned counters_from(int first) {
    Unsigned counters;
    for (int lane = 0; lane < LANES; lane++) counters[lane] = lane;
    return counters + (uint32_t)first;
}

// The items are those of a step.
struct Shape {
    int pairs, hidden_size, features, items;
    int units() const { return pairs * hidden_size; }
};

// What the items of a step are taken from, of one replica: inputs and targets [2 * pairs] of each,
// filled up with zeros to a multiple of LINE and of QUAD.
struct Source {
    const int inputs_width, targets_width;
    const float *const inputs, *const targets;
    Source(const float *inputs, const float *targets, int features, int heads, int64_t first)
        : inputs_width(padded(features, LINE)),
          targets_width(padded(heads, QUAD)),
          inputs(inputs + first * inputs_width),
          targets(targets + first * targets_width) {}
    const float *input(uint32_t item) const { return inputs + (int64_t)item * inputs_width; }
    const float *target(uint32_t item) const { return targets + (int64_t)item * targets_width; }
};

// QUAD numbers each of every QUADth row.
inline Vector quads(const float *const *rows, int from) {
#if defined(__AVX512DQ__)
    __m512 found = _mm512_castps128_ps512(_mm_load_ps(rows[0] + from));
    found = _mm512_insertf32x4(found, _mm_load_ps(rows[4] + from), 1);
    found = _mm512_insertf32x4(found, _mm_load_ps(rows[8] + from), 2);
    return (Vector)_mm512_insertf32x4(found, _mm_load_ps(rows[12] + from), 3);
#else
    float found[LANES];
    for (int at = 0; at < LANES; at += QUAD)
        memcpy(found + at, rows[at] + from, QUAD * sizeof(float));
    return load(found);
#endif
}

// From each QUAD numbers of either vector the lower or the upper two: one of each vector in turn,
// or two of each.
template <bool UPPER, bool BY_TWO, int... LANE>
inline Vector mixed(Vector one, Vector other, std::integer_sequence<int, LANE...>) {
    constexpr auto from = [](int lane) {
        const int at = BY_TWO ? lane % 2 : lane % QUAD / 2;
        const int vector = BY_TWO ? lane % QUAD / 2 : lane % 2;
        return vector * LANES + lane / QUAD * QUAD + 2 * UPPER + at;
    };
#if defined(__clang__)
    return __builtin_shufflevector(one, other, from(LANE)...);
#else
    return __builtin_shuffle(one, other, Integers{from(LANE)...});
#endif
}

template <bool UPPER, bool BY_TWO>
inline Vector mixed(Vector one, Vector other) {
    return mixed<UPPER, BY_TWO>(one, other, std::make_integer_sequence<int, LANES>());
}

// QUAD columns of LANES rows, from one on; stored so far apart.
inline void gather_columns(const float *const *rows, int from, float *to, int64_t stride) {
    const Vector first = quads(rows, from), second = quads(rows + 1, from);
    const Vector third = quads(rows + 2, from), fourth = quads(rows + 3, from);
    const Vector low = mixed<0, 0>(first, second), next_low = mixed<0, 0>(third, fourth);
    const Vector high = mixed<1, 0>(first, second), next_high = mixed<1, 0>(third, fourth);
    store(to, mixed<0, 1>(low, next_low));
    store(to + stride, mixed<1, 1>(low, next_low));
    store(to + 2 * stride, mixed<0, 1>(high, next_high));
    store(to + 3 * stride, mixed<1, 1>(high, next_high));
}

// One replica: its items, in both orders, and its networks' weights and slopes, in one order.
struct Replica {
    const Shape shape;
    const int width;  // of a row of inputs
    const int biases, heads, weights;  // places: of the units' biases, of the heads, of the end
    const int depth;  // of the columns of a block
    std::vector<const float *> rows;  // of inputs
    Array columns, signs;  // [blocks, depth, BLOCK], [2 * pairs, items]
    Array states[STATE], slopes;
    Array &values;
    Array hidden, errors;  // [units, BLOCK], [2, BLOCK]
    Array unit_sums, head_sums;  // [units, 3] and [2 * pairs] vectors

    explicit Replica(Shape of)
        : shape(of),
          width(padded(of.features)),
          biases(of.units() * width),
          heads(biases + of.units()),
          weights(heads + 2 * of.pairs * (of.hidden_size + 1)),
          depth(padded(of.features, QUAD)),
          rows(padded(of.items)),
          columns((int64_t)stride() * depth),
          signs((int64_t)padded(2 * of.pairs, QUAD) * stride()),
          slopes(weights),
          values(states[0]),
          hidden(of.units() * BLOCK),
          errors(2 * BLOCK),
          unit_sums(of.units() * 3 * LANES),
          head_sums(2 * of.pairs * LANES) {
        for (Array &state : states) state.make(weights);
    }

    int stride() const { return padded(shape.items, BLOCK); }

    // The last item goes on to the end of its vector.
    void show_inputs(const Source &source, const uint32_t *items) {
        for (int i = 0; i < padded(shape.items); i++) rows[i] = source.input(items[i]);
        for (int first = 0; first < shape.items; first += LANES) {
            float *block = columns + ((int64_t)(first - first % BLOCK) * depth + first % BLOCK);
            for (int f = 0; f < depth; f += QUAD)
                gather_columns(rows.data() + first, f, block + f * BLOCK, BLOCK);
        }
    }

    // Where it goes on its sign is 0: it sends no slope, and is finite where the item itself is.
    void show_signs(const Source &source, const uint32_t *items) {
        const int heads = 2 * shape.pairs;
        for (int first = 0; first < shape.items; first += LANES) {
            const float *targets[LANES];
            for (int lane = 0; lane < LANES; lane++)
                targets[lane] = source.target(items[first + lane]);
            for (int head = 0; head < heads; head += QUAD)
                gather_columns(targets, head, signs_of(head, first), stride());
        }
        for (int head = 0; head < heads; head++)
            std::fill(signs_of(head, shape.items), signs_of(head, padded(shape.items)), 0.0f);
    }

    float *signs_of(int head, int item) { return signs + ((int64_t)head * stride() + item); }

    // Calls of(place here, place in a trunk, ...) for each weight.
    template <class Trunk, class Heads>
    void each_weight(Trunk of_trunk, Heads of_heads) {
        const int features = shape.features;
        for (int unit = 0; unit < shape.units(); unit++) {
            for (int f = 0; f < features; f++)
                of_trunk(unit * width + f, unit * (features + 1) + f);
            of_trunk(biases + unit, unit * (features + 1) + features);
        }
        for (int place = 0; heads + place < weights; place++) of_heads(heads + place, place);
    }

    void load_weights(Array &to, const float *trunk, const float *head) {
        each_weight([&](int here, int there) { to[here] = trunk[there]; },
                    [&](int here, int there) { to[here] = head[there]; });
    }

    void store_weights(Array &from, float *trunk, float *head) {
        each_weight([&](int here, int there) { trunk[there] = from[here]; },
                    [&](int here, int there) { head[there] = from[here]; });
    }

    void step(Step by) {
        for (int place = 0; place < weights; place += LANES) store(slopes + place, Vector{});
        for (int at = 0; at < shape.units() * 3; at++) unit_sums.vectors[at] = Vector{};
        for (int at = 0; at < shape.pairs * 2; at++) head_sums.vectors[at] = Vector{};
        for (int first = 0; first < shape.items; first += BLOCK) add_slopes(first);
        for (int unit = 0; unit < shape.units(); unit++) {
            const int pair = unit / shape.hidden_size, h = unit % shape.hidden_size;
            slopes[biases + unit] = total(unit_sums.vectors[unit * 3]);
            for (int party = 0; party < 2; party++)
                slopes[head(pair, party) + h] = total(unit_sums.vectors[unit * 3 + 1 + party]);
        }
        for (int at = 0; at < shape.pairs * 2; at++)
            slopes[head(at / 2, at % 2) + shape.hidden_size] = total(head_sums.vectors[at]);
        for (int place = 0; place < weights; place += LANES) move_vector(place, by);
    }

    int head(int pair, int party) const {
        return heads + (2 * pair + party) * (shape.hidden_size + 1);
    }

    // Adds the slopes of one block of items.
    void add_slopes(int first) {
        const int count = shape.items - first < BLOCK ? shape.items - first : BLOCK;
        const int used = padded(count);
        for (int unit = 0; unit < shape.units(); unit++)
            for (int i = 0; i < used; i += LANES)
                store(hidden + (unit * BLOCK + i), all(values[biases + unit]));
        const Strided by_feature = {columns + (int64_t)first * depth, BLOCK};
        multiply(values + 0, width, by_feature, shape.units(), shape.features, used, hidden + 0,
                 BLOCK);
        for (int pair = 0; pair < shape.pairs; pair++) {
            for (int i = 0; i < used; i += LANES) compare(pair, first, i);
            for (int h = 0; h < shape.hidden_size; h++) send_back(pair, h, used);
        }
        const Scattered by_item = {rows.data() + first, 0};
        multiply(hidden + 0, BLOCK, by_item, shape.units(), count, width, slopes + 0, width);
    }

    // From the units' sums to their outputs, the heads' logits and the slopes of the losses.
    void compare(int pair, int first, int i) {
        const float *weights_of[2] = {values + head(pair, 0), values + head(pair, 1)};
        const int size = shape.hidden_size;
        Vector alice = all(weights_of[0][size]), bob = all(weights_of[1][size]);
        for (int h = 0; h < size; h++) {
            float *at = hidden + ((pair * size + h) * BLOCK + i);
            const Vector output = activation(load(at));
            store(at, output);
            alice += weights_of[0][h] * output;
            bob += weights_of[1][h] * output;
        }
        const Vector logits[2] = {alice, bob};
        for (int party = 0; party < 2; party++) {
            const int row = 2 * pair + party;
            const Vector sign = load(signs_of(row, first + i));
            const Vector error = slope_of_loss(logits[party], target(sign, 1));
            store(errors + (party * BLOCK + i), error);
            head_sums.vectors[row] += error;
        }
    }

    // From the slopes of the losses to those of a unit's sum, which take the place of its outputs.
    void send_back(int pair, int h, int used) {
        const int unit = pair * shape.hidden_size + h;
        const float alice = values[head(pair, 0) + h], bob = values[head(pair, 1) + h];
        Vector *sums = unit_sums.vectors + unit * 3;
        Vector bias_slope = sums[0], alice_slope = sums[1], bob_slope = sums[2];
        for (int i = 0; i < used; i += LANES) {
            float *at = hidden + (unit * BLOCK + i);
            const Vector output = load(at);
            const Vector alice_error = load(errors + i), bob_error = load(errors + (BLOCK + i));
            alice_slope += alice_error * output;
            bob_slope += bob_error * output;
            const Vector signal = (alice * alice_error + bob * bob_error) * derivative(output);
            bias_slope += signal;
            store(at, signal);
        }
        sums[0] = bias_slope, sums[1] = alice_slope, sums[2] = bob_slope;
    }

    void move_vector(int place, Step by) {
        Weight weight;
        for (int s = 0; s < STATE; s++) weight.state[s] = load(states[s] + place);
        move(weight, load(slopes + place) * (1.0f / shape.items), by);
        for (int s = 0; s < STATE; s++) store(states[s] + place, weight.state[s]);
    }
};

inline Unsigned smaller(Unsigned one, Unsigned other) { return one < other ? one : other; }
inline Unsigned larger(Unsigned one, Unsigned other) { return one < other ? other : one; }

// A vector's numbers in lanes whose places differ in these bits.
template <int BITS, int... LANE>
inline Unsigned partners(Unsigned numbers, std::integer_sequence<int, LANE...>) {
#if defined(__clang__)
    return __builtin_shufflevector(numbers, numbers, (LANE ^ BITS)...);
#else
    return __builtin_shuffle(numbers, Unsigned{(LANE ^ BITS)...});
#endif
}

template <int BITS>
inline Unsigned partners(Unsigned numbers) {
    return partners<BITS>(numbers, std::make_integer_sequence<int, LANES>());
}

// The larger number of two such lanes goes into the higher one.
template <int BITS>
inline Unsigned exchanged(Unsigned numbers) {
    const Unsigned lanes = counters_from(0), others = partners<BITS>(numbers);
    return (lanes ^ BITS) < lanes ? larger(numbers, others) : smaller(numbers, others);
}

// Sorts runs of 2 * APART numbers that rise and then fall, or fall and then rise.
template <int APART>
inline Unsigned merged(Unsigned numbers) {
    if constexpr (APART > 0)
        return merged<APART / 2>(exchanged<APART>(numbers));
    else
        return numbers;
}

template <int RUN = 1>
inline Unsigned sorted(Unsigned numbers) {
    if constexpr (RUN < LANES)
        return sorted<2 * RUN>(merged<RUN / 2>(exchanged<2 * RUN - 1>(numbers)));
    else
        return numbers;
}

inline void exchange(Unsigned &one, Unsigned &other) {
    const Unsigned lower = smaller(one, other);
    other = larger(one, other);
    one = lower;
}

// Batcher's bitonic sort (Knuth, The Art of Computer Programming 3, section 5.3.4), of a power of
// two of vectors.
void sort(Unsigned *vectors, int count) {
    for (int i = 0; i < count; i++) vectors[i] = sorted(vectors[i]);
    for (int run = 1; run < count; run *= 2)
        for (int start = 0; start < count; start += 2 * run) {
            Unsigned *pair = vectors + start;
            for (int i = 0; i < run; i++) {
                Unsigned &mirrored = pair[2 * run - 1 - i];
                mirrored = partners<LANES - 1>(mirrored);
                exchange(pair[i], mirrored);
                mirrored = partners<LANES - 1>(mirrored);
            }
            for (int apart = run / 2; apart > 0; apart /= 2)
                for (int from = 0; from < 2 * run; from += 2 * apart)
                    for (int i = from; i < from + apart; i++) exchange(pair[i], pair[i + apart]);
            for (int i = 0; i < 2 * run; i++) pair[i] = merged<LANES / 2>(pair[i]);
        }
}

// The items that steps show, those of streams.py.
class Stream {
    const Key key;
    const int items;
    const uint32_t lowest;
    const int vectors;
    Unsigned *const order;
    uint32_t epoch;
    int place;

    static int bits(int items) { return items > 1 ? 32 - __builtin_clz(items - 1) : 0; }

    // All bits are set beyond the last item, which sorts them behind.
    Unsigned numbered(Unsigned number, Unsigned item) const {
        return item < (uint32_t)items ? (number & ~lowest) | item : ~Unsigned{};
    }

    void shuffle() {
        for (int at = 0; at < vectors; at += 2) {
            const Unsigned pairs = counters_from(at / 2 * LANES);
            const Key numbers = threefry(key, pairs, epoch);
            order[at] = numbered(numbers.first, 2 * pairs);
            order[at + 1] = numbered(numbers.second, 2 * pairs + 1);
        }
        sort(order, vectors);
        for (int at = 0; at < vectors; at++) order[at] &= lowest;
    }

public:
    Stream(const uint32_t *key, int64_t stride, int items, int64_t shown)
        : key{key[0] - Unsigned{}, key[stride] - Unsigned{}},
          items(items),
          lowest((1u << bits(items)) - 1),
          vectors(std::max(2, (1 << bits(items)) / LANES)),
          order(new Unsigned[vectors]),
          epoch((uint32_t)(shown / items)),
          place((int)(shown % items)) {
        shuffle();
    }
    Stream(const Stream &) = delete;
    ~Stream() { delete[] order; }

    void next(uint32_t *to, int count) {
        for (int taken; count; to += taken, count -= taken, place += taken) {
            if (place == items) {
                place = 0;
                epoch++;
                shuffle();
            }
            taken = std::min(count, items - place);
            memcpy(to, (const char *)order + place * sizeof *to, taken * sizeof *to);
        }
    }
};

// The flips of a replica's labels, those of streams.py. Heads of the same key, which are those of
// one task, have the same.
class Flips {
    static constexpr int NUMBERS = 2 * LANES;  // of sixteen bits in a vector
    const uint32_t *const keys;
    const int64_t stride;
    const int items;                // and as many as fill up NUMBERS
    std::vector<int> drawn;         // the first head of the same key
    std::vector<uint16_t> numbers;  // [heads, items]

    bool same(int head, int other) const {
        return keys[head] == keys[other] && keys[stride + head] == keys[stride + other];
    }

    // Of two labels, the first has the lower half of a number: processors are little-endian.
    void draw(int head, uint32_t step, uint16_t *to) const {
        const Key key = {keys[head] - Unsigned{}, keys[stride + head] - Unsigned{}};
        for (int first = 0; first < items; first += NUMBERS) {
            const Unsigned both = threefry(key, counters_from(first / 2), step).first;
            memcpy(to + first, &both, sizeof both);
        }
    }

public:
    Flips(const uint32_t *keys, int64_t stride, int heads, int shown)
        : keys(keys),
          stride(stride),
          items(padded(shown, NUMBERS)),
          drawn(heads),
          numbers((size_t)heads * items) {
        for (int head = 0; head < heads; head++)
            while (!same(head, drawn[head])) drawn[head]++;
    }

    void flip(Replica &replica, uint32_t step, uint32_t threshold) {
        for (int head = 0; head < (int)drawn.size(); head++) {
            uint16_t *of_head = numbers.data() + (size_t)drawn[head] * items;
            if (drawn[head] == head) draw(head, step, of_head);
            float *signs = replica.signs_of(head, 0);
            for (int i = 0; i < items; i++)
                signs[i] = of_head[i] < threshold ? -signs[i] : signs[i];
        }
    }
};

}  // namespace

// What is trained: the numbers of replicas, pairs, units of a network, inputs, items of a step, and
// items trained on.
struct Sizes {
    int64_t replicas, pairs, hidden_size, features, shown, training;
};

// What steps draw. Keys are those of the replicas' orders [2, replicas], null for all items in
// their order, and of the heads' flips [2, replicas, pairs, 2], null for none; a label is flipped
// where sixteen bits are below the threshold. So many steps were done before.
struct Draws {
    const uint32_t *orders, *flips;
    int64_t steps_done;
    uint32_t threshold;
};

// Does as many steps as there are rates. Arrays are dense: trunk[0] [replicas, pairs * hidden_size,
// features + 1] and heads[0] [replicas, pairs, 2, hidden_size + 1], the biases last, followed by
// what else the optimizer changes; inputs and targets [replicas, training, ...] as in Source, +1
// for class 1, -1 for class 0, 0 where nothing is asked.
extern "C" void advance(float *const *trunk, float *const *heads, const float *inputs,
                        const float *targets, const float *rates, const float *scales,
                        int64_t steps, float momentum, float weight_decay, const Sizes *sizes,
                        const Draws *draws) {
    const WithoutSubnormals while_this_runs;
    const int64_t pairs = sizes->pairs, size = sizes->hidden_size, features = sizes->features;
    const int items = (int)sizes->shown, count = (int)(2 * pairs);
    const bool drawn = draws->orders, flipped = draws->flips;
    const uint32_t none[2] = {};
    Replica replica({(int)pairs, (int)size, (int)features, items});
    std::vector<uint32_t> shown(padded(items));
    for (int i = 0; i < (int)shown.size(); i++) shown[i] = std::min(i, items - 1);
    for (int64_t r = 0; r < sizes->replicas; r++) {
        const Source source(inputs, targets, (int)features, count, r * sizes->training);
        for (int s = 0; s < STATE; s++)
            replica.load_weights(replica.states[s], trunk[s] + r * pairs * size * (features + 1),
                                 heads[s] + r * count * (size + 1));
        Stream stream(drawn ? draws->orders + r : none, drawn ? sizes->replicas : 1,
                      drawn ? (int)sizes->training : 1, draws->steps_done * items);
        Flips flips(flipped ? draws->flips + r * count : none, sizes->replicas * count,
                    flipped ? count : 0, items);
        for (int64_t step = 0; step < steps; step++) {
            if (drawn) {
                stream.next(shown.data(), items);
                std::fill(shown.begin() + items, shown.end(), shown[items - 1]);
            }
            if (drawn || step == 0) replica.show_inputs(source, shown.data());
            if (drawn || flipped || step == 0) replica.show_signs(source, shown.data());
            if (flipped)
                flips.flip(replica, (uint32_t)(draws->steps_done + step), draws->threshold);
            replica.step({rates[step], scales[step], momentum, weight_decay});
        }
        for (int s = 0; s < STATE; s++)
            replica.store_weights(replica.states[s], trunk[s] + r * pairs * size * (features + 1),
                                  heads[s] + r * count * (size + 1));
    }
}
