#include "nngpcheck/import/writer.hpp"

#include <algorithm>
#include <cmath>

#include "nngpcheck/import/interpret.hpp"

namespace nngpcheck::importer {

using netsor::BundleId;
using netsor::Index;

namespace {

const Column* as_column(const Cell& cell) { return std::get_if<Column>(&cell.value); }
const Block* as_block(const Cell& cell) { return std::get_if<Block>(&cell.value); }
const Scalar* as_scalar(const Cell& cell) {
  const auto* scalar = std::get_if<std::shared_ptr<const Scalar>>(&cell.value);
  return scalar ? scalar->get() : nullptr;
}
const Random* as_random(const Cell& cell) {
  const auto* random = std::get_if<std::shared_ptr<const Random>>(&cell.value);
  return random ? random->get() : nullptr;
}
const Outer* as_outer(const Cell& cell) {
  const auto* outer = std::get_if<std::shared_ptr<const Outer>>(&cell.value);
  return outer ? outer->get() : nullptr;
}
/// A random number of a parameter, without a width.
bool is_finite_block(const Cell& cell) { return as_block(cell) && as_block(cell)->axes.empty(); }

}  // namespace

Writer::Writer(const Archive& archive, Widths& widths, Report& report, std::optional<std::size_t> at)
    : archive_(archive), widths_(widths), report_(report), at_(at) {}

double Writer::power_of(const Values& values) {
  const auto g = growth(values, widths_.n());
  if (!g && !at_)
    report_.add("unknown_growth", "a constant depends on the width n in a way that is no power of it");
  return g ? g->power : 0;
}

Values Writer::powers(double power) const {
  Values result;
  for (std::size_t i = 0; i < width_count; ++i)
    result[i] = power == 0 ? 1 : std::pow(static_cast<double>(widths_.n()[i]), power);
  return result;
}

double Writer::evaluate(const Values& values, double power, const std::string* blame) {
  if (at_) return values[*at_] / powers(power)[*at_];
  const auto g = growth(values, widths_.n());
  if (!g) return values[width_count - 1];
  if (g->limit == 0) return 0;
  if (g->power > power + 0.1) {
    report_.diverged().insert(blame ? *blame : "");
    return g->limit;
  }
  if (g->power < power - 0.1) {
    std::size_t start = 0;
    for (std::size_t end = 0; blame && end != std::string::npos; start = end + 1) {
      end = blame->find('\n', start);
      report_.vanished().insert(blame->substr(start, end - start));
    }
    return 0;
  }
  return g->limit;
}

netsor::Width Writer::width(int width) {
  const netsor::Width result = width == finite ? netsor::Width() : widths_.width(width);
  if (width == finite) return result;
  const Size size = widths_.size(width);
  if (sizes_.try_emplace(result.text(), size).first->second != size)
    throw AxesMixed{"widths of " + text(size, widths_.n()) + " and " +
                    text(sizes_[result.text()], widths_.n()) + " entries meet"};
  return result;
}

Column Writer::ones(int width) {
  if (width == finite) sizes_.try_emplace(netsor::Width().text(), widths_.n());
  const BundleId result = builder_.ones(this->width(width));
  ones_.insert(result);
  return {result, 0};
}

Cell Writer::scaled(Cell cell, const Values& factor) {
  cell.factor = cell.factor * factor;
  return all_zero(cell.factor) ? number(Values{}) : cell;
}

double Writer::value(const Cell& cell, const Evaluation& evaluation) {
  const double factor = cell.factor[evaluation.graph()];
  if (cell.is_number()) return factor;
  if (const Random* random = as_random(cell)) return factor * random->value(evaluation);
  if (const Scalar* scalar = as_scalar(cell)) {
    double sum = scalar->constant[evaluation.graph()];
    for (const Scalar::Term& term : scalar->terms) {
      const auto* entry = std::get_if<Entry>(&term.value);
      sum += term.factor[evaluation.graph()] *
             (entry ? evaluation.entry(*entry) : evaluation.dot(std::get<Dot>(term.value)));
    }
    return factor * sum;
  }
  if (const Block* block = as_block(cell)) return factor * evaluation.block(*block)(0);
  throw std::logic_error("a vector is read as a number");
}

Cell Writer::random(std::function<double(const std::vector<double>&)> function, const Cells& arguments) {
  auto result = std::make_shared<Random>();
  bool depends = false;
  for (const Cell& cell : arguments) {
    depends = depends || cell.depends;
    const Random* random = as_random(cell);
    if (is_finite_block(cell) && result->diagnosis.empty()) {
      result->source = archive_.graphs[0].inputs[as_block(cell)->input].target;
      result->diagnosis = "finite_random:" + result->source;
    }
    if (!random) continue;
    if (random->readout >= result->readout) {
      result->readout = random->readout;
      result->scale = random->scale * cell.factor;
      result->bias = random->bias * cell.factor * cell.factor;
    }
    if (result->diagnosis.empty() || random->readout >= 0) {
      result->diagnosis = random->diagnosis;
      result->source = random->source;
    }
  }
  for (const Cell& cell : arguments) {
    if (!is_finite_block(cell) || result->readout < 0) continue;
    report_.usage()[archive_.graphs[0].inputs[as_block(cell)->input].target].output_bias = true;
    for (std::size_t g = 0; g < width_count; ++g) {
      const Law one = law(*as_block(cell), g);
      if (one.kind != Law::Kind::unknown) result->bias[g] += cell.factor[g] * cell.factor[g] * one.variance();
    }
  }
  result->value = [function = std::move(function), arguments](const Evaluation& evaluation) {
    std::vector<double> values;
    for (const Cell& cell : arguments) values.push_back(value(cell, evaluation));
    return function(values);
  };
  Cell cell = {std::shared_ptr<const Random>(result), constant_values(1), depends, nullptr};
  return cell;
}

Cell Writer::reenter(const Cell& cell) {
  const Random* random = as_random(cell);
  std::string code = random ? random->diagnosis : "";
  std::string source = random ? random->source : "";
  if (is_finite_block(cell)) {
    source = archive_.graphs[0].inputs[as_block(cell)->input].target;
    code = "finite_random:" + source;
  }
  if (random && random->readout >= 0) {
    // A sum over the width that vanishes is no readout: it converges, to 0.
    const Readout& readout = readouts_.at(static_cast<std::size_t>(random->readout));
    Values variance = readout.variance * cell.factor * cell.factor * random->scale * random->scale;
    Values fan_in{};
    for (const int w : readout.widths)
      if (w != finite) fan_in = fan_in + values_of(widths_.size(w));
    const auto g = growth(variance * fan_in, widths_.n());
    if (g && g->power < 0 && !report_.usage()[source].vector) {
      report_.usage()[source].vector = true;
      throw Split{};
    }
    report_.usage()[source].inner = true;
  }
  if (code.starts_with("finite_bottleneck")) {
    report_.add(code, "the network goes on from finitely many numbers that `" + source +
                          "` reads out: they stay random at every width; let their number grow with n");
  } else {
    report_.add(code, "`" + source +
                          "` has random numbers and no axis that grows with n: the kernel depends on "
                          "them at every width; make them constant");
  }
  return number(cell.factor, cell.depends);
}

// ---- Sums ----

std::vector<std::vector<Writer::Term>> Writer::terms(const std::vector<Cells>& sums,
                                                     const std::vector<int>& widths) {
  // All parameters and all numbers that converge are made columns at once.
  Cells flat;
  std::vector<int> flat_widths;
  for (std::size_t j = 0; j < sums.size(); ++j) {
    for (const Cell& cell : sums[j]) {
      flat.push_back(as_random(cell) || is_finite_block(cell) ? reenter(cell) : cell);
      flat_widths.push_back(widths[j]);
    }
  }
  flat = constant_columns(vectors(flat), flat_widths);
  std::vector<std::vector<Term>> result(sums.size());
  std::size_t k = 0;
  for (std::size_t j = 0; j < sums.size(); ++j) {
    for (std::size_t i = 0; i < sums[j].size(); ++i, ++k) {
      const Cell& cell = flat[k];
      if (all_zero(cell.factor)) continue;
      const Column column = as_column(cell) ? *as_column(cell) : ones(widths[j]);
      result[j].push_back({cell.factor, column, cell.depends, cell.blame});
    }
  }
  return result;
}

Cells Writer::add(const std::vector<Cells>& sums, const std::vector<int>& widths) {
  Cells result(sums.size());
  std::vector<std::size_t> which;
  std::vector<Cells> vector_sums;
  std::vector<int> vector_widths;
  for (std::size_t j = 0; j < sums.size(); ++j) {
    Cells kept;
    for (const Cell& cell : sums[j])
      if (!cell.is_zero()) kept.push_back(cell);
    if (kept.size() == 1) {
      result[j] = kept[0];
      continue;
    }
    const auto any = [&](auto test) { return std::any_of(kept.begin(), kept.end(), test); };
    if (any(as_outer)) {
      result[j] = sum_of_outers(kept);
    } else if (any([](const Cell& cell) {
                 return as_column(cell) || (as_block(cell) && !as_block(cell)->axes.empty());
               })) {
      which.push_back(j);
      vector_sums.push_back(kept);
      vector_widths.push_back(widths[j]);
    } else if (any([](const Cell& cell) { return as_random(cell) || is_finite_block(cell); })) {
      result[j] = random(
          [](const std::vector<double>& values) {
            double sum = 0;
            for (const double v : values) sum += v;
            return sum;
          },
          kept);
    } else {
      Scalar sum;
      bool depends = false;
      for (const Cell& cell : kept) {
        depends = depends || cell.depends;
        if (cell.is_number()) sum.constant = sum.constant + cell.factor;
        const Scalar* scalar = as_scalar(cell);
        if (!scalar) continue;
        sum.constant = sum.constant + cell.factor * scalar->constant;
        for (Scalar::Term term : scalar->terms) {
          term.factor = term.factor * cell.factor;
          sum.terms.push_back(term);
        }
      }
      result[j] = sum.terms.empty()
                      ? number(sum.constant, depends)
                      : Cell{std::make_shared<const Scalar>(sum), constant_values(1), depends, nullptr};
    }
  }
  const Cells combined = combine(terms(vector_sums, vector_widths), vector_widths);
  for (std::size_t k = 0; k < which.size(); ++k) result[which[k]] = combined[k];
  return result;
}

Cell Writer::sum_of_outers(const Cells& cells) const {
  auto sum = std::make_shared<Outer>();
  bool depends = false;
  for (const Cell& cell : cells) {
    const Outer* outer = as_outer(cell);
    if (!outer)
      throw Refusal{"reject", "outer_product", "a product of two vectors is added to something else"};
    depends = depends || cell.depends;
    for (const auto& [u, v] : outer->terms) sum->terms.emplace_back(scaled(u, cell.factor), v);
  }
  return {std::shared_ptr<const Outer>(sum), constant_values(1), depends, nullptr};
}

/// (Σ u vᵀ) x = Σ u (vᵀx).
Cells Writer::times_outers(const Cells& outers, const Cells& xs, const std::vector<int>& summed,
                           const std::vector<int>& widths) {
  Cells us, vs, arguments;
  std::vector<int> term_summed, term_widths;
  for (std::size_t k = 0; k < outers.size(); ++k) {
    for (const auto& [u, v] : as_outer(outers[k])->terms) {
      us.push_back(scaled(u, outers[k].factor));
      vs.push_back(v);
      arguments.push_back(xs[k]);
      term_summed.push_back(summed[k]);
      term_widths.push_back(widths[k]);
    }
  }
  const Cells products =
      multiply(contract(vs, arguments, term_summed, std::vector<int>(vs.size(), finite)), us, term_widths);
  std::vector<Cells> sums(outers.size());
  std::size_t next = 0;
  for (std::size_t k = 0; k < outers.size(); ++k)
    for (std::size_t i = 0; i < as_outer(outers[k])->terms.size(); ++i) sums[k].push_back(products[next++]);
  return add(sums, widths);
}

Cells Writer::combine(const std::vector<std::vector<Term>>& sums, const std::vector<int>& widths) {
  Cells result(sums.size(), number(Values{}));
  std::map<std::string, std::vector<std::size_t>> by_width;
  for (std::size_t j = 0; j < sums.size(); ++j) {
    if (sums[j].empty()) continue;
    if (sums[j].size() == 1) {
      const Term& term = sums[j][0];
      result[j] = {term.column, term.factor, term.depends, term.blame};
    } else {
      by_width[width(widths[j]).text()].push_back(j);
    }
  }
  for (const auto& [text, members] : by_width) {
    std::vector<Sparse> columns;
    for (const std::size_t j : members) {
      double power = -1e9;
      for (const Term& term : sums[j]) power = std::max(power, power_of(term.factor));
      Sparse column;
      bool depends = false;
      std::set<std::string> blames;
      for (const Term& term : sums[j]) {
        const double value = evaluate(term.factor, power, term.blame);
        depends = depends || (term.depends && (value != 0 || at_));
        if (value != 0) column.emplace_back(term.column, value);
        if (value != 0 && power != 0 && term.blame) blames.insert(*term.blame);
      }
      std::string joined;
      for (const std::string& one : blames) joined += (joined.empty() ? "" : "\n") + one;
      const std::string* blame = joined.empty() ? nullptr : report_.name(joined);
      columns.push_back(std::move(column));
      result[j] = {{}, powers(power), depends, blame};
    }
    const BundleId bundle = emit(columns, widths[members[0]]);
    for (std::size_t k = 0; k < members.size(); ++k)
      result[members[k]].value = Column{bundle, static_cast<Index>(k)};
  }
  return result;
}

/// One bundle with these columns, each a sum of columns.
BundleId Writer::emit(const std::vector<Sparse>& columns, int width) {
  std::map<BundleId, std::vector<Eigen::Triplet<double>>> by_bundle;
  for (std::size_t j = 0; j < columns.size(); ++j) {
    for (const auto& [column, value] : columns[j])
      by_bundle[column.bundle].emplace_back(static_cast<int>(column.index), static_cast<int>(j), value);
  }
  const Index count = static_cast<Index>(columns.size());
  if (by_bundle.empty()) return builder_.mix(ones(width).bundle, netsor::SparseMatrix(1, count));
  std::vector<netsor::Add::Term> sum, broadcast;
  for (const auto& [source, triplets] : by_bundle) {
    const auto pure = pure_inputs_.find(source);
    const Index rows = builder_.type(source).columns;
    if (pure != pure_inputs_.end()) {
      const auto& [object, ones_at] = pure->second;
      Eigen::MatrixXd data = Eigen::MatrixXd::Zero(static_cast<Index>(vectors_count_.at(object)), count);
      for (const auto& t : triplets) data(ones_at[static_cast<std::size_t>(t.row())], t.col()) += t.value();
      sum.push_back({1, builder_.input(object, std::move(data))});
      continue;
    }
    netsor::SparseMatrix matrix(rows, count);
    matrix.setFromTriplets(triplets.begin(), triplets.end());
    double factor = triplets[0].value();
    bool diagonal = rows == count && static_cast<Index>(triplets.size()) == count;
    for (const auto& t : triplets) diagonal = diagonal && t.row() == t.col() && t.value() == factor;
    // One column times a row of equal numbers is broadcast by Add.
    bool row = rows == 1 && count > 1 && by_bundle.size() > 1 && static_cast<Index>(triplets.size()) == count;
    for (const auto& t : triplets) row = row && t.value() == factor;
    if (row) {
      broadcast.push_back({factor, source});
      continue;
    }
    sum.push_back({diagonal ? factor : 1, diagonal ? source : builder_.mix(source, std::move(matrix))});
  }
  if (sum.empty()) {  // an Add has the columns of its widest term
    netsor::SparseMatrix matrix(1, count);
    for (Index j = 0; j < count; ++j) matrix.insert(0, j) = broadcast[0].coefficient;
    sum.push_back({1, builder_.mix(broadcast[0].bundle, std::move(matrix))});
    broadcast.erase(broadcast.begin());
  }
  sum.insert(sum.end(), broadcast.begin(), broadcast.end());
  return sum.size() == 1 && sum[0].coefficient == 1 ? sum[0].bundle : builder_.add(sum);
}

BundleId Writer::aligned(const std::vector<Column>& columns, int width) {
  std::vector<Sparse> sums;
  bool whole =
      !columns.empty() && builder_.type(columns[0].bundle).columns == static_cast<Index>(columns.size());
  for (std::size_t k = 0; k < columns.size(); ++k) {
    sums.push_back({{columns[k], 1.0}});
    whole = whole && columns[k] == Column{columns[0].bundle, static_cast<Index>(k)};
  }
  return whole ? columns[0].bundle : emit(sums, width);
}

BundleId Writer::bundle(const Cells& cells, int width, bool keep_factors) {
  const auto all = terms(
      [&] {
        std::vector<Cells> sums;
        for (const Cell& cell : cells) sums.push_back({cell});
        return sums;
      }(),
      std::vector<int>(cells.size(), width));
  double power = 0;
  if (!keep_factors) {
    power = -1e9;
    for (const auto& sum : all)
      for (const Term& term : sum) power = std::max(power, power_of(term.factor));
  }
  std::vector<Column> columns;
  std::vector<Sparse> sums;
  bool plain = true;
  for (const auto& sum : all) {
    sums.emplace_back();
    for (const Term& term : sum) {
      const double value = evaluate(term.factor, power, term.blame);
      plain = plain && value == 1;
      columns.push_back(term.column);
      if (value != 0) sums.back().emplace_back(term.column, value);
    }
  }
  return plain && columns.size() == cells.size() ? aligned(columns, width) : emit(sums, width);
}

// ---- Products ----

Cells Writer::multiply(const Cells& left, const Cells& right, const std::vector<int>& widths) {
  Cells result(left.size());
  Cells scalars, scaled_cells, xs, ys, rows_left, rows_right;
  std::vector<std::size_t> scaled_at, vectors_at, rows_at;
  std::vector<int> scaled_widths, vector_widths;
  for (std::size_t k = 0; k < left.size(); ++k) {
    Cell a = left[k], b = right[k];
    if (b.is_number()) std::swap(a, b);
    if (a.is_number()) {
      result[k] = scaled(b, a.factor);
      result[k].depends = a.depends || b.depends;
      if (result[k].is_zero()) result[k].depends = false;
      continue;
    }
    const bool vector_a = as_column(a) || (as_block(a) && as_block(a)->axes.size() == 1);
    const bool vector_b = as_column(b) || (as_block(b) && as_block(b)->axes.size() == 1);
    const auto is_random = [](const Cell& c) { return as_random(c) || is_finite_block(c); };
    if (as_outer(a) || as_outer(b))
      throw Refusal{"reject", "outer_product", "a product of two vectors is multiplied coordinatewise"};
    if ((as_block(a) && as_block(a)->axes.size() > 1) || (as_block(b) && as_block(b)->axes.size() > 1)) {
      throw Refusal{"outside", "function_of_weights",
                    "a weight matrix is multiplied by something else than a constant"};
    }
    if (!vector_a && !vector_b && (is_random(a) || is_random(b))) {
      result[k] = random([](const std::vector<double>& v) { return v[0] * v[1]; }, {a, b});
    } else if (is_random(a) || is_random(b)) {
      const Cell& vector = vector_a ? a : b;
      const Cell one = reenter(vector_a ? b : a);
      result[k] = scaled(vector, one.factor);
    } else if (vector_a && vector_b) {
      vectors_at.push_back(k);
      xs.push_back(a);
      ys.push_back(b);
      vector_widths.push_back(widths[k]);
    } else if (vector_a || vector_b) {
      scaled_at.push_back(k);
      scalars.push_back(vector_a ? b : a);
      scaled_cells.push_back(vector_a ? a : b);
      scaled_widths.push_back(widths[k]);
    } else {
      rows_at.push_back(k);
      rows_left.push_back(a);
      rows_right.push_back(b);
    }
  }
  const auto put = [&](const std::vector<std::size_t>& where, const Cells& cells) {
    for (std::size_t k = 0; k < where.size(); ++k) result[where[k]] = cells[k];
  };
  if (!vectors_at.empty()) put(vectors_at, times_vectors(xs, ys, vector_widths));
  if (!scaled_at.empty()) put(scaled_at, scale(scalars, scaled_cells, scaled_widths));
  if (!rows_at.empty()) {
    std::vector<double> power_left, power_right;
    const netsor::TableId a = row(rows_left, &power_left), b = row(rows_right, &power_right);
    Cells products = entries_of(builder_.apply(netsor::Product{}, {a, b}), rows_left);
    for (std::size_t k = 0; k < products.size(); ++k) {
      products[k].factor = powers(power_left[k] + power_right[k]);
      products[k].depends = rows_left[k].depends || rows_right[k].depends;
    }
    put(rows_at, products);
  }
  return result;
}

Cells Writer::times_vectors(const Cells& left, const Cells& right, const std::vector<int>& widths) {
  const Cells xs = vectors(left), ys = vectors(right);
  Cells result(xs.size());
  std::map<std::string, std::map<std::pair<Column, Column>, std::size_t>> distinct;
  std::map<std::string, int> any_width;
  std::vector<std::size_t> position(xs.size());
  for (std::size_t k = 0; k < xs.size(); ++k) {
    if (!as_column(xs[k]) || !as_column(ys[k])) continue;  // a constant of a mixed law
    auto pair = std::minmax(*as_column(xs[k]), *as_column(ys[k]));
    const std::string text = width(widths[k]).text();
    any_width[text] = widths[k];
    auto& pairs = distinct[text];
    position[k] =
        pairs.try_emplace(std::pair<Column, Column>(pair.first, pair.second), pairs.size()).first->second;
  }
  std::map<std::string, BundleId> products;
  for (const auto& [text, pairs] : distinct) {
    std::vector<Column> a(pairs.size(), pairs.begin()->first.first), b = a;
    for (const auto& [pair, index] : pairs) {
      a[index] = pair.first;
      b[index] = pair.second;
    }
    products.emplace(text, builder_.mul(aligned(a, any_width[text]), aligned(b, any_width[text])));
  }
  for (std::size_t k = 0; k < xs.size(); ++k) {
    if (!as_column(xs[k]) || !as_column(ys[k])) {
      result[k] = xs[k].is_number() ? scaled(ys[k], xs[k].factor) : scaled(xs[k], ys[k].factor);
      continue;
    }
    const BundleId product = products.at(width(widths[k]).text());
    result[k] = {Column{product, static_cast<Index>(position[k])}, xs[k].factor * ys[k].factor,
                 xs[k].depends || ys[k].depends, xs[k].blame ? xs[k].blame : ys[k].blame};
  }
  return result;
}

Cells Writer::contract(const Cells& left, const Cells& right, const std::vector<int>& summed,
                       const std::vector<int>& widths) {
  Cells result(left.size());
  std::vector<std::pair<const Block*, Cell>> matrices, readouts;
  std::vector<std::size_t> matrices_at, readouts_at, dots_at;
  std::vector<int> matrix_widths, readout_widths;
  std::vector<Cell> blocks;  // with factors
  Cells us, vs, outers, outer_arguments;
  std::vector<std::size_t> outers_at;
  std::vector<int> outer_summed, outer_widths;
  for (std::size_t k = 0; k < left.size(); ++k) {
    const Cell *a = &left[k], *b = &right[k];
    if (a->is_zero() || b->is_zero()) {
      result[k] = number(Values{});
      continue;
    }
    if (as_outer(*a) || as_outer(*b)) {
      outers_at.push_back(k);
      outers.push_back(as_outer(*a) ? *a : *b);
      outer_arguments.push_back(as_outer(*a) ? *b : *a);
      outer_summed.push_back(summed[k]);
      outer_widths.push_back(widths[k]);
      continue;
    }
    const auto rank = [](const Cell* c) { return as_block(*c) ? as_block(*c)->axes.size() : 0; };
    if (rank(a) < 2 && (rank(b) == 2 || (rank(b) == 1 && is_readout(*as_block(*b))))) std::swap(a, b);
    if (rank(a) == 2 && rank(b) == 2) {
      throw Refusal{"outside", "product_of_weights", "two weight matrices are multiplied with each other"};
    }
    if (rank(a) == 2) {
      matrices_at.push_back(k);
      matrices.emplace_back(as_block(*a), scaled(*b, a->factor));
      matrix_widths.push_back(summed[k]);
    } else if (rank(a) == 1 && is_readout(*as_block(*a))) {
      readouts_at.push_back(k);
      readouts.emplace_back(as_block(*a), scaled(*b, a->factor));
      readout_widths.push_back(summed[k]);
    } else if (a->is_number() && b->is_number()) {
      result[k] =
          number(a->factor * b->factor * values_of(widths_.size(summed[k])), a->depends || b->depends);
    } else {
      dots_at.push_back(k);
      us.push_back(*a);
      vs.push_back(*b);
    }
  }
  if (!outers.empty()) {
    const Cells read = times_outers(outers, outer_arguments, outer_summed, outer_widths);
    for (std::size_t k = 0; k < read.size(); ++k) result[outers_at[k]] = read[k];
  }
  const Cells products = times_matrices(matrices, matrix_widths);
  for (std::size_t k = 0; k < products.size(); ++k) result[matrices_at[k]] = products[k];
  const Cells outputs = read_out(readouts, readout_widths);
  for (std::size_t k = 0; k < outputs.size(); ++k) result[readouts_at[k]] = outputs[k];
  if (dots_at.empty()) return result;
  std::vector<int> dot_widths;
  for (const std::size_t k : dots_at) dot_widths.push_back(summed[k]);
  const auto columns = [&](const Cells& cells) {
    std::vector<Cells> sums;
    for (const Cell& cell : cells) sums.push_back({cell});
    return terms(sums, dot_widths);
  };
  const auto u = columns(us), v = columns(vs);
  for (std::size_t k = 0; k < dots_at.size(); ++k) {
    if (u[k].empty() || v[k].empty()) {
      result[dots_at[k]] = number(Values{});
      continue;
    }
    const Term &s = u[k][0], &t = v[k][0];
    const auto pair = std::minmax(s.column, t.column);
    Scalar scalar;
    scalar.terms.push_back({constant_values(1), Dot{pair.first, pair.second}});
    result[dots_at[k]] = {std::make_shared<const Scalar>(scalar),
                          s.factor * t.factor * values_of(widths_.size(dot_widths[k])),
                          s.depends || t.depends, s.blame ? s.blame : t.blame};
    width(dot_widths[k]);
  }
  return result;
}

Cells Writer::times_matrices(const std::vector<std::pair<const Block*, Cell>>& products,
                             const std::vector<int>& summed) {
  Cells result(products.size());
  std::vector<Cells> arguments;
  for (const auto& [block, x] : products) arguments.push_back({x});
  const auto columns = terms(arguments, summed);
  std::map<std::pair<std::size_t, std::int64_t>, std::vector<std::size_t>> by_block;
  for (std::size_t k = 0; k < products.size(); ++k) {
    if (!columns[k].empty()) by_block[{products[k].first->input, products[k].first->slot}].push_back(k);
  }
  for (const auto& [key, members] : by_block) {
    const Matrix& weight = matrix(*products[members[0]].first);
    for (const std::size_t k : members) {
      if (products[k].first->axes != products[members[0]].first->axes) {
        const std::string& target = archive_.graphs[0].inputs[key.first].target;
        throw Refusal{"outside", "transpose:" + target,
                      "`" + target +
                          "` is used together with its transpose; the theorem of NETSOR does not cover that"};
      }
    }
    std::map<Column, Index> position;
    std::vector<Column> distinct;
    for (const std::size_t k : members) {
      if (position.try_emplace(columns[k][0].column, static_cast<Index>(distinct.size())).second)
        distinct.push_back(columns[k][0].column);
    }
    const BundleId product = builder_.matmul(weight.weight, aligned(distinct, summed[members[0]]));
    for (const std::size_t k : members) {
      const Term& x = columns[k][0];
      result[k] = {Column{product, position.at(x.column)}, x.factor * weight.factor, x.depends,
                   weight.blame ? weight.blame : x.blame};
    }
  }
  return result;
}

Cells Writer::read_out(const std::vector<std::pair<const Block*, Cell>>& products,
                       const std::vector<int>& summed) {
  Cells result;
  std::vector<Cells> arguments;
  for (const auto& [block, x] : products) arguments.push_back({x});
  const auto columns = terms(arguments, summed);
  for (std::size_t k = 0; k < products.size(); ++k) {
    if (columns[k].empty()) {
      result.push_back(number(Values{}));
      continue;
    }
    const Term x = columns[k][0];
    const Block block = *products[k].first;
    const std::string& target = archive_.graphs[0].inputs[block.input].target;
    auto random = std::make_shared<Random>();
    random->value = [x, block](const Evaluation& evaluation) {
      return x.factor[evaluation.graph()] * evaluation.block(block).dot(evaluation.column(x.column));
    };
    random->source = target;
    random->diagnosis = "finite_bottleneck:" + target.substr(0, target.rfind('.'));
    random->readout = static_cast<int>(readouts_.size());
    result.push_back({std::shared_ptr<const Random>(random), constant_values(1), x.depends, nullptr});
  }
  return result;
}

// ---- Functions ----

Cells Writer::map(const netsor::Activation& activation, const Cells& cells, const std::vector<int>& widths) {
  Cells result(cells.size());
  const Cells columns = vectors(cells);
  // Distinct columns by width: those that fill a bundle are mapped as they are.
  std::map<std::string, std::map<std::pair<Column, Values>, std::vector<std::size_t>>> distinct;
  for (std::size_t k = 0; k < columns.size(); ++k) {
    const Cell& cell = columns[k];
    if (as_column(cell)) {
      distinct[width(widths[k]).text()][{*as_column(cell), cell.factor}].push_back(k);
    } else if (as_outer(cell)) {
      throw Refusal{"reject", "outer_product", "a nonlinear function of a product of two vectors"};
    } else if (as_block(cell) && !is_finite_block(cell)) {
      throw Refusal{"outside", "function_of_weights", "a nonlinear function of a weight matrix"};
    }
  }
  for (const auto& [text, members] : distinct) {
    std::map<BundleId, std::vector<std::pair<Column, const std::vector<std::size_t>*>>> whole;
    for (const auto& [key, where] : members)
      if (key.second == constant_values(1)) whole[key.first.bundle].emplace_back(key.first, &where);
    Cells rest;
    std::vector<const std::vector<std::size_t>*> rest_at;
    std::map<BundleId, BundleId> mapped;
    for (const auto& [source, list] : whole)
      if (builder_.type(source).columns == static_cast<Index>(list.size()))
        mapped.emplace(source, builder_.map(activation, source));
    for (const auto& [key, where] : members) {
      const auto found = key.second == constant_values(1) ? mapped.find(key.first.bundle) : mapped.end();
      const Cell& first = columns[where[0]];
      if (found == mapped.end()) {
        rest.push_back(first);
        rest_at.push_back(&where);
        continue;
      }
      for (const std::size_t k : where)
        result[k] = {Column{found->second, key.first.index}, constant_values(1), columns[k].depends, nullptr};
    }
    if (rest.empty()) continue;
    const BundleId done = builder_.map(activation, bundle(rest, widths[(*rest_at[0])[0]]));
    for (std::size_t i = 0; i < rest.size(); ++i) {
      for (const std::size_t k : *rest_at[i])
        result[k] = {Column{done, static_cast<Index>(i)}, constant_values(1),
                     columns[k].depends && (at_ || evaluate(columns[k].factor, 0, nullptr) != 0), nullptr};
    }
  }
  // Numbers that converge: φ of a vector that is constant along the width.
  Cells scalars;
  std::vector<std::size_t> scalars_at;
  for (std::size_t k = 0; k < columns.size(); ++k) {
    if (columns[k].is_number()) {
      result[k] = number(numbers_map(activation, columns[k].factor), columns[k].depends);
    } else if (as_random(columns[k]) || is_finite_block(columns[k])) {
      result[k] = random(
          [activation](const std::vector<double>& v) {
            return numbers_map(activation, {v[0], 0, 0})[0];
          },
          {columns[k]});
    } else if (as_scalar(columns[k])) {
      scalars.push_back(columns[k]);
      scalars_at.push_back(k);
    }
  }
  if (!scalars.empty()) {
    const BundleId done = builder_.map(activation, builder_.mix(ones(finite).bundle, row(scalars)));
    for (std::size_t i = 0; i < scalars.size(); ++i) {
      Scalar scalar;
      scalar.terms.push_back({constant_values(1), Dot{ones(finite), Column{done, static_cast<Index>(i)}}});
      result[scalars_at[i]] = {std::make_shared<const Scalar>(scalar), constant_values(1), scalars[i].depends,
                               nullptr};
    }
  }
  return result;
}

Cells Writer::maximum(const Cells& left, const Cells& right, const std::vector<int>& widths) {
  Cells result(left.size());
  std::map<std::string, std::vector<std::size_t>> by_width;
  for (std::size_t k = 0; k < left.size(); ++k) {
    if (left[k].is_number() && right[k].is_number()) {
      Values values;
      for (std::size_t i = 0; i < width_count; ++i)
        values[i] = std::max(left[k].factor[i], right[k].factor[i]);
      result[k] = number(values, left[k].depends || right[k].depends);
    } else if (left[k].is_number() && left[k].factor[0] == -std::numeric_limits<double>::infinity()) {
      result[k] = right[k];
    } else if (right[k].is_number() && right[k].factor[0] == -std::numeric_limits<double>::infinity()) {
      result[k] = left[k];
    } else if (widths[k] == finite) {
      result[k] =
          random([](const std::vector<double>& v) { return std::max(v[0], v[1]); }, {left[k], right[k]});
    } else {
      by_width[width(widths[k]).text()].push_back(k);
    }
  }
  for (const auto& [text, members] : by_width) {
    Cells a, b;
    for (const std::size_t k : members) {
      a.push_back(left[k]);
      b.push_back(right[k]);
    }
    const int w = widths[members[0]];
    const BundleId done = builder_.max(bundle(a, w), bundle(b, w));
    for (std::size_t i = 0; i < members.size(); ++i)
      result[members[i]] = {Column{done, static_cast<Index>(i)}, constant_values(1),
                            a[i].depends || b[i].depends, nullptr};
  }
  return result;
}

Cells Writer::function(const netsor::Function& function, const std::vector<Cells>& arguments,
                       const std::vector<int>& widths) {
  Cells result(widths.size());
  std::map<std::string, std::vector<std::size_t>> by_width;
  for (std::size_t k = 0; k < widths.size(); ++k) {
    if (widths[k] == finite) {
      Cells own;
      for (const Cells& cells : arguments) own.push_back(cells[k]);
      result[k] = random([function](const std::vector<double>& v) { return function(v); }, own);
    } else {
      by_width[width(widths[k]).text()].push_back(k);
    }
  }
  for (const auto& [text, members] : by_width) {
    std::vector<BundleId> bundles;
    for (const Cells& cells : arguments) {
      Cells own;
      for (const std::size_t k : members) own.push_back(cells[k]);
      bundles.push_back(bundle(own, widths[members[0]]));
    }
    const BundleId done = builder_.nonlin(function, bundles);
    for (std::size_t i = 0; i < members.size(); ++i) {
      bool depends = false;
      for (const Cells& cells : arguments) depends = depends || cells[members[i]].depends;
      result[members[i]] = {Column{done, static_cast<Index>(i)}, constant_values(1), depends, nullptr};
    }
  }
  return result;
}

Cells Writer::standardize(const Cells& cells, const std::vector<int>& groups, const std::vector<int>& widths,
                          double epsilon) {
  Cells result(cells.size());
  std::map<std::string, std::vector<std::size_t>> by_width;
  for (std::size_t k = 0; k < cells.size(); ++k) by_width[width(widths[k]).text()].push_back(k);
  for (const auto& [text, members] : by_width) {
    Cells xs;
    std::vector<int> group;
    for (const std::size_t k : members) {
      xs.push_back(cells[k]);
      group.push_back(groups[k]);
    }
    const BundleId done = builder_.standardize(bundle(xs, widths[members[0]]), group, epsilon);
    for (std::size_t i = 0; i < members.size(); ++i)
      result[members[i]] = {Column{done, static_cast<Index>(i)}, constant_values(1), xs[i].depends, nullptr};
  }
  return result;
}

}  // namespace nngpcheck::importer
