#include "nngpcheck/inputs/read_inputs.hpp"

#include "nngpcheck/inputs/samples.hpp"
#include "nngpcheck/support/error.hpp"

namespace nngpcheck::inputs {

Inputs read_inputs(const std::filesystem::path& file) {
  const Samples samples = read_samples(file);
  if (!samples.lengths.empty()) return tokens(samples);
  const Form form = form_of(samples, {});
  if (!form.doubt.empty()) throw InputError(form.doubt);
  return make_inputs(samples, form, {0, samples.array.count()});
}

}  // namespace nngpcheck::inputs
