function process(e) return e end
