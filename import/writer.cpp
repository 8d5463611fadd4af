#include "nngpcheck/import/writer.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "nngpcheck/import/cell_kinds.hpp"
#include "nngpcheck/import/interpret.hpp"

namespace nngpcheck::importer {

using netsor::BundleId;
using netsor::Index;

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
      report_.vanishes(blame->substr(start, end - start));
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
  if (random && random->readout >= 0 && random->readout < static_cast<int>(readouts_.size())) {
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

bool is_minus_infinity(const Cell& cell) {
  return cell.is_number() && cell.factor == constant_values(-std::numeric_limits<double>::infinity());
}

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
    if (any(is_minus_infinity)) {  // a mask
      result[j] = number(-std::numeric_limits<double>::infinity());
      continue;
    }
    if (any([](const Cell& cell) { return as_matrix_sum(cell) || is_matrix(cell); })) {
      result[j] = sum_of_matrices(kept);
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

Cells Writer::combine(std::vector<std::vector<Term>> sums, const std::vector<int>& widths) {
  for (auto& sum : sums) {  // x − x is 0
    std::map<Column, Values> total;
    for (const Term& term : sum) {
      const auto [entry, added] = total.try_emplace(term.column, term.factor);
      if (!added) entry->second = entry->second + term.factor;
    }
    std::erase_if(sum, [&](const Term& term) { return all_zero(total.at(term.column)); });
  }
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

}  // namespace nngpcheck::importer
