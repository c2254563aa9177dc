// Trains networks whose items differ from replica to replica, one replica at a time.
//
// A vector holds LANES items, or LANES inputs of one item. The hidden units of all the replica's
// networks are the rows of one matrix product in either direction, computed in tiles whose sums
// stay in registers, for a block of items at a time, so that what a step touches stays in the cache
// however many items there are. No sum depends on how many networks or replicas there are.
//
// Slopes are added up over items and divided by their number at the end. Set by the compiler's
// command line: what vectors.h asks for.

#include "threefry.h"

#include <algorithm>
#include <type_traits>
#include <vector>

namespace {

constexpr int BLOCK = 64;  // items
constexpr int ROWS = 4;    // of a tile: with a width of 4 the processor is never short of sums
#if defined(__AVX512F__)
constexpr int WIDTH = 4;  // of a tile, in vectors
#else
constexpr int WIDTH = 2;  // there are fewer registers
#endif

inline int padded(int count) { return (count + LANES - 1) / LANES * LANES; }

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

// sums[r, v] += sum over k of left[r, k] * right[k, v], for COUNT rows and VECTORS vectors.
template <int COUNT, int VECTORS>
inline void multiply_tile(const float *left, int left_stride, const float *right, int right_stride,
                          int depth, float *sums, int sums_stride) {
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
        for (int v = 0; v < VECTORS; v++) values[v] = load(right + k * right_stride + v * LANES);
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

template <int COUNT, int VECTORS>
int multiply_rows(const float *left, int left_stride, const float *right, int right_stride,
                  int row, int rows, int depth, float *sums, int sums_stride) {
    for (; row + COUNT <= rows; row += COUNT)
        multiply_tile<COUNT, VECTORS>(left + row * left_stride, left_stride, right, right_stride,
                                      depth, sums + row * sums_stride, sums_stride);
    return row;
}

template <int VECTORS>
void multiply_columns(const float *left, int left_stride, const float *right, int right_stride,
                      int rows, int depth, float *sums, int sums_stride) {
    const auto from = [&](auto tile, int row) {
        return multiply_rows<tile.value, VECTORS>(left, left_stride, right, right_stride, row, rows,
                                                  depth, sums, sums_stride);
    };
    int row = 0;
    if constexpr (VECTORS == 1) row = from(std::integral_constant<int, 2 * ROWS>{}, row);
    row = from(std::integral_constant<int, ROWS>{}, row);
    from(std::integral_constant<int, 1>{}, row);
}

// The same for any number of rows and for so many columns, a multiple of LANES.
void multiply(const float *left, int left_stride, const float *right, int right_stride, int rows,
              int depth, int columns, float *sums, int sums_stride) {
    int at = 0;
    for (; at + WIDTH * LANES <= columns; at += WIDTH * LANES)
        multiply_columns<WIDTH>(left, left_stride, right + at, right_stride, rows, depth, sums + at,
                                sums_stride);
    for (; at < columns; at += LANES)
        multiply_columns<1>(left, left_stride, right + at, right_stride, rows, depth, sums + at,
                            sums_stride);
}

// The items are those of a step.
struct Shape {
    int pairs, hidden_size, features, items;
    int units() const { return pairs * hidden_size; }
};

// What the items of a step are taken from, of one replica: inputs [all items, features + 1] and
// targets [2 * pairs, all items].
struct Source {
    const float *inputs, *targets;
    int64_t features, all_items;
    const float *input(int item) const { return inputs + item * (features + 1); }
};

// One replica: its items, in both orders, and its networks' weights and slopes, in one order.
struct Replica {
    const Shape shape;
    const int width;  // of a row of inputs
    const int biases, heads, weights;  // places: of the units' biases, of the heads, of the end
    Array rows, columns, signs;  // [items, width], [blocks, features, BLOCK], [2 * pairs, items]
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
          rows((int64_t)of.items * width),
          columns((int64_t)(of.items + BLOCK - 1) / BLOCK * BLOCK * of.features),
          signs((int64_t)2 * of.pairs * stride()),
          slopes(weights),
          values(states[0]),
          hidden(of.units() * BLOCK),
          errors(2 * BLOCK),
          unit_sums(of.units() * 3 * LANES),
          head_sums(2 * of.pairs * LANES) {
        for (Array &state : states) state.make(weights);
    }

    int stride() const { return (shape.items + BLOCK - 1) / BLOCK * BLOCK; }

    // A block is filled up with its last item, whose sign is 0 there: it sends no slope, and is
    // finite where the item itself is.
    void show_inputs(const Source &source, const uint32_t *items) {
        for (int place = 0; place < shape.items; place++) {
            const float *input = source.input(items[place]);
            float *row = rows + (int64_t)place * width;
            for (int f = 0; f < shape.features; f++) row[f] = input[f];
        }
        for (int first = 0; first < shape.items; first += BLOCK)
            for (int f = 0; f < shape.features; f++) {
                const int count = std::min(BLOCK, shape.items - first);
                const float *from = rows + ((int64_t)first * width + f);
                float *column = columns + ((int64_t)first * shape.features + f * BLOCK);
                for (int i = 0; i < count; i++) column[i] = from[i * width];
                for (int i = count; i < BLOCK; i++) column[i] = column[count - 1];
            }
    }

    // A sign is changed where the numbers drawn [2 * pairs, padded items] are below the threshold.
    void show_signs(const Source &source, const uint32_t *items, const uint16_t *drawn,
                    uint32_t threshold) {
        for (int head = 0; head < 2 * shape.pairs; head++) {
            const float *targets = source.targets + head * source.all_items;
            float *of_head = signs + (int64_t)head * stride();
            for (int i = 0; i < shape.items; i++) of_head[i] = targets[items[i]];
            if (!threshold) continue;
            const uint16_t *numbers = drawn + (int64_t)head * stride();
            for (int i = 0; i < shape.items; i++)
                of_head[i] = numbers[i] < threshold ? -of_head[i] : of_head[i];
        }
    }

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
        multiply(values + 0, width, columns + (int64_t)first * shape.features, BLOCK, shape.units(),
                 shape.features, used, hidden + 0, BLOCK);
        for (int pair = 0; pair < shape.pairs; pair++) {
            for (int i = 0; i < used; i += LANES) compare(pair, first, i);
            for (int h = 0; h < shape.hidden_size; h++) send_back(pair, h, used);
        }
        multiply(hidden + 0, BLOCK, rows + (int64_t)first * width, width, shape.units(), count,
                 width, slopes + 0, width);
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
            const int64_t row = 2 * pair + party;
            const Vector sign = load(signs + (row * stride() + first + i));
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

inline Unsigned counters_from(int first) {
    Unsigned counters;
    for (int lane = 0; lane < LANES; lane++) counters[lane] = lane;
    return counters + (uint32_t)first;
}

// The items that steps show, those of streams.py.
class Stream {
    const Key key;
    const int items, bits;
    const uint32_t lowest;
    std::vector<uint32_t> drawn, order;
    std::vector<int> places;  // of the next one in each of 2^bits buckets
    uint32_t epoch;
    int place;

    void shuffle() {
        for (int pair = 0; 2 * pair < items; pair += LANES) {
            const Key numbers = threefry(key, counters_from(pair), epoch);
            for (int lane = 0; lane < LANES; lane++) {
                const uint32_t item = 2 * (pair + lane);
                drawn[item] = (numbers.first[lane] & ~lowest) | item;
                drawn[item + 1] = (numbers.second[lane] & ~lowest) | (item + 1);
            }
        }
        sort();
        for (uint32_t &number : order) number &= lowest;
    }

    // Into about as many buckets as there are numbers, by their highest bits; then a number is
    // hardly ever far from its place.
    void sort() {
        const auto bucket = [this](uint32_t number) { return (uint64_t)number >> (32 - bits); };
        std::fill(places.begin(), places.end(), 0);
        for (int i = 0; i < items; i++) places[bucket(drawn[i])]++;
        for (int b = 0, before = 0; b < (int)places.size(); b++) {
            const int count = places[b];
            places[b] = before;
            before += count;
        }
        for (int i = 0; i < items; i++) order[places[bucket(drawn[i])]++] = drawn[i];
        for (int i = 1; i < items; i++) {
            const uint32_t number = order[i];
            int at = i;
            for (; at > 0 && order[at - 1] > number; at--) order[at] = order[at - 1];
            order[at] = number;
        }
    }

public:
    Stream(const uint32_t *key, int64_t stride, int items, int64_t shown)
        : key{key[0] - Unsigned{}, key[stride] - Unsigned{}},
          items(items),
          bits(items > 1 ? 32 - __builtin_clz(items - 1) : 0),
          lowest((1u << bits) - 1),
          drawn(items + 2 * LANES),
          order(items),
          places((size_t)1 << bits),
          epoch((uint32_t)(shown / items)),
          place((int)(shown % items)) {
        shuffle();
    }

    uint32_t next() {
        if (place == items) {
            place = 0;
            epoch++;
            shuffle();
        }
        return order[place++];
    }
};

// Draws sixteen bits for each label of a step, those of streams.py, for heads with a key each: of
// two labels, the first has the lower half of a number.
void draw_numbers(const uint32_t *keys, int64_t stride, int heads, int items, uint32_t step,
                  uint16_t *numbers, int64_t numbers_stride) {
    for (int head = 0; head < heads; head++) {
        const Key key = {keys[head] - Unsigned{}, keys[stride + head] - Unsigned{}};
        uint16_t *of_head = numbers + head * numbers_stride;
        for (int place = 0; place < items; place += 2 * LANES) {
            const Unsigned drawn = threefry(key, counters_from(place / 2), step).first;
            uint32_t words[LANES];
            memcpy(words, &drawn, sizeof words);
            for (int lane = 0; lane < LANES; lane++) {
                of_head[place + 2 * lane] = (uint16_t)words[lane];
                of_head[place + 2 * lane + 1] = (uint16_t)(words[lane] >> 16);
            }
        }
    }
}

}  // namespace

// What is trained: the numbers of replicas, pairs, units of a network, inputs, items of a step, items
// trained on, and all items.
struct Sizes {
    int64_t replicas, pairs, hidden_size, features, shown, training, all_items;
};

// What steps draw. Keys are those of the replicas' orders [2, replicas], null for all items in their
// order, and of the heads' flips [2, replicas, pairs, 2], null for none; a label is flipped where
// sixteen bits are below the threshold. So many steps were done before.
struct Draws {
    const uint32_t *orders, *flips;
    int64_t steps_done;
    uint32_t threshold;
};

// Does as many steps as there are rates. Arrays are dense: trunk[0] [replicas, pairs * hidden_size,
// features + 1] and heads[0] [replicas, pairs, 2, hidden_size + 1], the biases last, followed by
// what else the optimizer changes; inputs [replicas, all_items, features + 1] and targets [replicas,
// pairs, 2, all_items], training items first: +1 for class 1, -1 for class 0, 0 where nothing is
// asked.
extern "C" void advance(float *const *trunk, float *const *heads, const float *inputs,
                        const float *targets, const float *rates, const float *scales,
                        int64_t steps, float momentum, float weight_decay, const Sizes *sizes,
                        const Draws *draws) {
    const int64_t pairs = sizes->pairs, size = sizes->hidden_size, features = sizes->features;
    const int items = (int)sizes->shown, count = (int)(2 * pairs);
    Replica replica({(int)pairs, (int)size, (int)features, items});
    std::vector<uint32_t> shown(items);
    std::vector<uint16_t> numbers(draws->flips ? (size_t)count * replica.stride() : 0);
    for (int64_t r = 0; r < sizes->replicas; r++) {
        const Source source = {inputs + r * sizes->all_items * (features + 1),
                               targets + r * count * sizes->all_items, features, sizes->all_items};
        for (int s = 0; s < STATE; s++)
            replica.load_weights(replica.states[s], trunk[s] + r * pairs * size * (features + 1),
                                 heads[s] + r * count * (size + 1));
        const bool drawn = draws->orders;
        const uint32_t none[2] = {};
        Stream stream(drawn ? draws->orders + r : none, drawn ? sizes->replicas : 1,
                      drawn ? (int)sizes->training : 1, draws->steps_done * items);
        for (int64_t step = 0; step < steps; step++) {
            if (drawn || step == 0) {
                for (int i = 0; i < items; i++) shown[i] = drawn ? stream.next() : i;
                replica.show_inputs(source, shown.data());
            }
            if (draws->flips)
                draw_numbers(draws->flips + r * count, sizes->replicas * count, count, items,
                             (uint32_t)(draws->steps_done + step), numbers.data(),
                             replica.stride());
            if (drawn || draws->flips || step == 0)
                replica.show_signs(source, shown.data(), numbers.data(), draws->threshold);
            replica.step({rates[step], scales[step], momentum, weight_decay});
        }
        for (int s = 0; s < STATE; s++)
            replica.store_weights(replica.states[s], trunk[s] + r * pairs * size * (features + 1),
                                  heads[s] + r * count * (size + 1));
    }
}
